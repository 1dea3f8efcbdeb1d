#include <string>

#include "gateway/base/text.h"
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
  const SpfFacts::Check* check = nullptr;
  std::string_view identity;
  std::string who;  // as the client said it, printable
  SpfAction action = SpfAction::none;
};

Finding decisive(const Transaction& mail, const SpfFacts& facts, const SpfSettings& settings) {
  Finding sender;
  if (facts.mailfrom) {
    const bool is_null = !mail.from || mail.from->is_null();
    sender = {&*facts.mailfrom, "mailfrom", text::printable(is_null ? facts.mailfrom->domain : mail.from->text),
              action_on(facts.mailfrom->result, settings)};
  }
  if (!facts.helo || facts.helo->result != AuthResult::fail || settings.on_fail <= sender.action) return sender;
  return {&*facts.helo, "helo", text::printable(facts.helo->domain), settings.on_fail};
}

std::string describe(const Finding& finding) {
  const SpfFacts::Check& check = *finding.check;
  std::string words(finding.identity);
  words.append(" ").append(check.domain).append(": ").append(name(check.result));
  if (!check.mechanism.empty()) words.append(" by ").append(check.mechanism);
  if (!check.problem.empty()) words.append(", ").append(check.problem);
  return words;
}

// RFC 7208, 8.4 to 8.7, with the enhanced codes of RFC 7372, 3.2.
Verdict refusal(const Finding& finding) {
  const bool is_for_good = finding.action == SpfAction::reject;
  switch (finding.check->result) {
    case AuthResult::temperror:
      if (is_for_good) return Verdict::reject("5.7.24", "SPF of " + finding.check->domain + " could not be checked");
      return Verdict::tempfail("4.4.3", "SPF of " + finding.check->domain + " cannot be checked just now");
    case AuthResult::permerror: {
      const std::string text = "SPF record of " + finding.check->domain + " cannot be evaluated";
      return is_for_good ? Verdict::reject("5.7.24", text) : Verdict::tempfail("4.7.24", text);
    }
    default: {
      const std::string text = "SPF does not allow this client to send for " + finding.who;
      return is_for_good ? Verdict::reject("5.7.23", text) : Verdict::tempfail("4.7.23", text);
    }
  }
}

}  // namespace

std::string_view name(SpfAction action) {
  switch (action) {
    case SpfAction::none:
      return "none";
    case SpfAction::score:
      return "score";
    case SpfAction::tempfail:
      return "tempfail";
    case SpfAction::reject:
      return "reject";
  }
  return "unknown";
}

Verdict judge_spf(Stage stage, const Transaction& mail, const SpfFacts& facts, const SpfSettings& settings) {
  const Finding finding = decisive(mail, facts, settings);
  if (finding.action == SpfAction::none) return Verdict::none();
  Verdict verdict;
  if (finding.action == SpfAction::score) {
    if (stage != Stage::message) return Verdict::none();
    verdict.score = settings.score;
  } else {
    if (stage != Stage::mail) return Verdict::none();
    verdict = refusal(finding);
  }
  verdict.because = describe(finding);
  return verdict;
}

}  // namespace sallyport::policies
