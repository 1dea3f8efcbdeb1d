#include <string>
#include <utility>

#include "gateway/base/text.h"
#include "policies/spf/replies.h"
#include "policies/spf/spf.h"

namespace sallyport::policies {

namespace {

SpfAction action_on(AuthResult result, const SpfSettings& settings) {
  switch (result) {
    case AuthResult::fail:
      return settings.on_fail;
    case AuthResult::softfail:
      return settings.on_softfail;
    case AuthResult::permerror:
      return settings.on_permerror;
    case AuthResult::temperror:
      return settings.on_temperror;
    default:
      return SpfAction::none;  // neutral is to be treated exactly as none is (RFC 7208, 8.2)
  }
}

// One identity with what its result leads to.
struct Finding {
  const SpfCheck* check = nullptr;
  std::string_view identity;
  std::string who;  // as the client said it, printable
  SpfAction action = SpfAction::none;

  bool is_unknown() const { return check != nullptr && check->result == AuthResult::temperror; }
};

Finding sender_of(const Transaction& mail, const SpfFacts& facts, const SpfSettings& settings) {
  if (!facts.mailfrom) return {};
  const bool is_null = !mail.from || mail.from->is_null();
  return {&*facts.mailfrom, "mailfrom", text::printable(is_null ? facts.mailfrom->domain : mail.from->to_string()),
          action_on(facts.mailfrom->result, settings)};
}

// A fail of the HELO name counts where it leads to more than the sender's result does.
bool helo_decides(const SpfFacts& facts, const SpfSettings& settings, const Finding& sender) {
  return facts.helo && facts.helo->result == AuthResult::fail && settings.on_fail > sender.action;
}

std::string describe(const Finding& finding) {
  const SpfCheck& check = *finding.check;
  std::string words(finding.identity);
  words.append(" ").append(check.domain).append(": ").append(word(check.result));
  if (!check.mechanism.empty()) words.append(" by ").append(check.mechanism);
  if (!check.problem.empty()) words.append(", ").append(check.problem);
  return words;
}

Verdict refusal(const Finding& finding) {
  const bool is_for_good = finding.action == SpfAction::reject;
  switch (finding.check->result) {
    case AuthResult::temperror:
      return refuse_with(is_for_good ? spf_reply::not_checked : spf_reply::not_checked_for_now, finding.check->domain);
    case AuthResult::permerror:
      return refuse_with(is_for_good ? spf_reply::broken_record : spf_reply::broken_record_for_now,
                         finding.check->domain);
    default:
      return refuse_with(is_for_good ? spf_reply::not_allowed : spf_reply::not_allowed_for_now, finding.who);
  }
}

void say(Stage stage, const Finding& finding, const SpfSettings& settings, Verdicts& out) {
  if (finding.action == SpfAction::none && !finding.is_unknown()) return;
  const bool is_scored = finding.action == SpfAction::score;
  if (stage != (is_scored ? Stage::message : Stage::mail)) return;
  Verdict verdict;
  if (is_scored) {
    verdict.score = settings.score;
  } else if (finding.action != SpfAction::none) {
    verdict = refusal(finding);
  }
  verdict.is_unknown = finding.is_unknown();
  verdict.because = describe(finding);
  out.add(std::move(verdict));
}

}  // namespace

void judge_spf(Stage stage, const Transaction& mail, const Facts& facts, const SpfSettings& settings, Verdicts& out) {
  if (stage != Stage::mail && stage != Stage::message) return;
  const SpfFacts* found = facts.find<SpfFacts>();
  if (found == nullptr) return;
  Finding sender = sender_of(mail, *found, settings);
  if (!helo_decides(*found, settings, sender)) return say(stage, sender, settings, out);
  say(stage, {&*found->helo, "helo", text::printable(found->helo->domain), settings.on_fail}, settings, out);
  // One score for a mail is enough, but an unknown result of the sender is still added.
  sender.action = SpfAction::none;
  say(stage, sender, settings, out);
}

}  // namespace sallyport::policies
