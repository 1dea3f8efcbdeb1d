#include "gateway/checks/disposition.h"

#include <algorithm>

#include "gateway/base/score_text.h"

namespace sallyport::checks {

using policies::Action;
using policies::Verdict;

namespace {

bool is_of_one_stage(const Verdict& a, const Verdict& b) { return a.check == b.check && a.stage == b.stage; }

// True if the accept takes effect: of one policy's verdicts at one stage the strictest counts, so an accept has no
// effect beside one stricter than a tag.
bool stands(const Verdict& accept, std::span<const Verdict> said) {
  return std::none_of(said.begin(), said.end(), [&accept](const Verdict& verdict) {
    return !verdict.shadow && verdict.action > Action::tag && is_of_one_stage(verdict, accept);
  });
}

bool accepts(const Verdict& verdict, std::string_view check, std::span<const Verdict> said) {
  if (verdict.shadow || verdict.action != Action::accept || !stands(verdict, said)) return false;
  return verdict.skip.empty() || std::find(verdict.skip.begin(), verdict.skip.end(), check) != verdict.skip.end();
}

bool counts(const Verdict& verdict, std::span<const Verdict> said) {
  if (verdict.shadow) return false;
  // An accept does not skip itself, nor a tag of the same policy at the same stage.
  const bool is_mild = verdict.action == Action::accept || verdict.action == Action::tag;
  return std::none_of(said.begin(), said.end(), [&](const Verdict& accept) {
    return accepts(accept, verdict.check, said) && !(is_mild && is_of_one_stage(accept, verdict));
  });
}

// "rules:LOTTERY", "spf".
std::string name_of(const Verdict& verdict) {
  return verdict.rule.empty() ? verdict.check : verdict.check + ':' + verdict.rule;
}

// "score 17 of 15: rules:TOO_MUCH(9) exclamation, dnsbl:zen(8) ...". The largest part comes first.
Reason reason_of_sum(std::span<const Verdict> said, double sum, double threshold) {
  std::vector<const Verdict*> parts;
  for (const Verdict& verdict : said) {
    if (verdict.score != 0 && counts(verdict, said)) parts.push_back(&verdict);
  }
  std::stable_sort(parts.begin(), parts.end(), [](const Verdict* a, const Verdict* b) { return a->score > b->score; });
  Reason reason;
  reason.check = "score";
  reason.because = score_text(sum) + " of " + score_text(threshold);
  for (const Verdict* part : parts) {
    reason.because += part == parts.front() ? ": " : ", ";
    reason.because += name_of(*part) + '(' + score_text(part->score) + ')';
    if (!part->because.empty()) reason.because += ' ' + part->because;
  }
  if (!parts.empty()) reason.rule = name_of(*parts.front());
  return reason;
}

Disposition disposition_of(const Verdict* verdict) {
  Disposition disposition;
  if (verdict == nullptr || verdict->action == Action::none) return disposition;
  disposition.action = verdict->action;
  disposition.reason = {verdict->check, verdict->rule, verdict->because};
  disposition.code = verdict->code;
  disposition.dsn = verdict->dsn;
  disposition.text = verdict->text;
  disposition.close = verdict->close || verdict->action == Action::drop;
  return disposition;
}

// One for each name: verdicts of one name at several stages or on several recipients are one finding.
struct Symbol {
  std::string name;
  double score = 0;
};

}  // namespace

bool is_skipped(std::string_view check, std::span<const Verdict> said) {
  return std::any_of(said.begin(), said.end(), [&](const Verdict& verdict) { return accepts(verdict, check, said); });
}

Disposition strictest(std::span<const Verdict> said, std::span<const Verdict> before) {
  const Verdict* found = nullptr;
  for (const Verdict& verdict : said) {
    if (!counts(verdict, said) || is_skipped(verdict.check, before)) continue;
    if (found == nullptr || verdict.action > found->action) found = &verdict;
  }
  return disposition_of(found);
}

double score(std::span<const Verdict> said) {
  double sum = 0;
  for (const Verdict& verdict : said) {
    if (counts(verdict, said)) sum += verdict.score;
  }
  return sum;
}

Disposition dispose(std::span<const Verdict> said, const policies::ActionSettings& actions) {
  Disposition disposition = strictest(said, {});
  const double sum = score(said);
  if (sum >= actions.reject && disposition.action < Action::reject) {
    disposition = {};
    disposition.action = Action::reject;
    disposition.reason = reason_of_sum(said, sum, actions.reject);
    disposition.text = "Message refused by policy";
    return disposition;
  }
  // The threshold for quarantine acts as one for tag as long as there is no quarantine.
  const double mark = std::min(actions.tag, actions.quarantine);
  if (sum >= mark && disposition.action < Action::tag) {
    disposition = {};
    disposition.action = Action::tag;
    disposition.reason = reason_of_sum(said, sum, mark);
  }
  return disposition;
}

std::vector<std::string> symbols(std::span<const Verdict> said) {
  std::vector<Symbol> found;
  for (const Verdict& verdict : said) {
    std::string name = verdict.shadow ? "~" : "";
    if (verdict.is_unknown) name += '!';
    name += name_of(verdict);
    const auto known =
        std::find_if(found.begin(), found.end(), [&name](const Symbol& symbol) { return symbol.name == name; });
    if (known == found.end()) {
      found.push_back({std::move(name), verdict.score});
    } else if (known->score == 0) {
      known->score = verdict.score;
    }
  }
  std::vector<std::string> symbols;
  symbols.reserve(found.size());
  for (Symbol& symbol : found) {
    if (symbol.score != 0) symbol.name += '(' + score_text(symbol.score) + ')';
    symbols.push_back(std::move(symbol.name));
  }
  return symbols;
}

std::vector<std::string> shadows(std::span<const Verdict> said) {
  std::vector<std::string> told;
  for (const Verdict& verdict : said) {
    if (!verdict.shadow) continue;
    std::string words = name_of(verdict);
    if (verdict.action != Action::none) words.append(" ").append(word(verdict.action));
    if (verdict.score != 0) words.append(" score ").append(score_text(verdict.score));
    if (!verdict.because.empty()) words.append(": ").append(verdict.because);
    told.push_back(std::move(words));
  }
  return told;
}

}  // namespace sallyport::checks
