#include "gateway/checks/disposition.h"

#include <algorithm>

#include "gateway/base/score_text.h"
#include "gateway/checks/changes.h"

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

bool is_change(const Verdict& verdict) {
  return !verdict.add_headers.empty() || !verdict.header_edits.empty() || !verdict.subject_prefix.empty() ||
         !verdict.redirect.empty() || !verdict.override_check.empty() || verdict.changes || verdict.body;
}

bool accepts(const Verdict& verdict, std::string_view check, std::span<const Verdict> said) {
  if (verdict.shadow || verdict.action != Action::accept || !stands(verdict, said)) return false;
  return verdict.skip.empty() || std::find(verdict.skip.begin(), verdict.skip.end(), check) != verdict.skip.end();
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

// The override that has the last word on this verdict: the mildest that counts. Null: none makes it milder.
const Verdict* override_of(const Verdict& verdict, std::span<const Verdict> said) {
  const Verdict* mildest = nullptr;
  for (const Verdict& one : said) {
    if (one.override_check.empty() || one.override_check != verdict.check || !counts(one, said)) continue;
    if (one.override_to >= verdict.action) continue;
    if (mildest == nullptr || one.override_to < mildest->override_to) mildest = &one;
  }
  return mildest;
}

// `all` has every verdict so far, among them the overrides.
Disposition disposition_of(const Verdict* verdict, std::span<const Verdict> all) {
  Disposition disposition;
  if (verdict == nullptr) return disposition;
  disposition.action = effective_action(*verdict, all);
  if (disposition.action == Action::none) return disposition;
  disposition.reason = {verdict->check, verdict->rule, verdict->because};
  if (const Verdict* milder = override_of(*verdict, all)) {
    std::string& because = disposition.reason.because;
    because +=
        (because.empty() ? "" : "; ") + std::string(word(verdict->action)) + " overridden by " + name_of(*milder);
    if (!milder->because.empty()) because += ": " + milder->because;
    return disposition;
  }
  disposition.code = verdict->code;
  disposition.dsn = verdict->dsn;
  disposition.text = verdict->text;
  disposition.close = verdict->close || verdict->action == Action::drop;
  return disposition;
}

// The strictest of `said` that counts, with all verdicts so far; null: none says anything.
const Verdict* find_strictest(std::span<const Verdict> said, std::span<const Verdict> before,
                              std::span<const Verdict> all) {
  const Verdict* found = nullptr;
  for (const Verdict& verdict : said) {
    if (!counts(verdict, said) || is_skipped(verdict.check, before)) continue;
    if (found == nullptr || effective_action(verdict, all) > effective_action(*found, all)) found = &verdict;
  }
  return found;
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

bool counts(const Verdict& verdict, std::span<const Verdict> said) {
  if (verdict.shadow) return false;
  // An accept does not skip itself, nor what else lets the mail pass of the same policy at the same stage: a tag, and
  // a verdict that only changes the mail.
  const bool only_changes = verdict.action == Action::none && verdict.score == 0 && is_change(verdict);
  const bool is_mild = verdict.action == Action::accept || verdict.action == Action::tag || only_changes;
  return std::none_of(said.begin(), said.end(), [&](const Verdict& accept) {
    return accepts(accept, verdict.check, said) && !(is_mild && is_of_one_stage(accept, verdict));
  });
}

Action effective_action(const Verdict& verdict, std::span<const Verdict> said) {
  const Verdict* milder = override_of(verdict, said);
  return milder == nullptr ? verdict.action : milder->override_to;
}

std::string name_of(const Verdict& verdict) {
  return verdict.rule.empty() ? verdict.check : verdict.check + ':' + verdict.rule;
}

Disposition strictest(std::span<const Verdict> said, std::span<const Verdict> before) {
  const auto has_override = [](const Verdict& verdict) { return !verdict.override_check.empty(); };
  if (std::none_of(before.begin(), before.end(), has_override)) {
    return disposition_of(find_strictest(said, before, said), said);
  }
  std::vector<Verdict> all(before.begin(), before.end());
  all.insert(all.end(), said.begin(), said.end());
  return disposition_of(find_strictest(said, before, all), all);
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
  const bool is_set_aside = sum >= actions.quarantine;
  const Action asked = is_set_aside ? Action::quarantine : sum >= actions.tag ? Action::tag : Action::none;
  if (asked > disposition.action && asked >= Action::tag) {
    disposition = {};
    disposition.action = asked;
    disposition.reason = reason_of_sum(said, sum, is_set_aside ? actions.quarantine : actions.tag);
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
    if (const std::string changes = change_words(verdict); !changes.empty()) words.append(" ").append(changes);
    if (!verdict.because.empty()) words.append(": ").append(verdict.because);
    told.push_back(std::move(words));
  }
  return told;
}

}  // namespace sallyport::checks
