#include <string>

#include "policies/dmarc/dmarc.h"

namespace sallyport::policies {

namespace {

Action to_action(DmarcAction action) {
  switch (action) {
    case DmarcAction::tag:
      return Action::tag;
    case DmarcAction::quarantine:
      return Action::quarantine;
    case DmarcAction::reject:
      return Action::reject;
  }
  return Action::none;
}

std::string describe(const DmarcFacts& facts) {
  std::string words = "dmarc=" + std::string(name(facts.result)) + " from " + facts.from_domain + ", " +
                      facts.published + "=" + std::string(name(facts.policy)) + " of " + facts.policy_domain;
  if (!facts.override_reason.empty()) words += ", " + facts.override_reason;
  if (!facts.override_comment.empty()) words += " (" + facts.override_comment + ")";
  return words;
}

Verdict judge_failed(const DmarcFacts& facts, const DmarcSettings& settings) {
  Verdict verdict;
  if (facts.effective != DmarcDisposition::none) {
    verdict.action =
        to_action(facts.effective == DmarcDisposition::reject ? settings.on_reject : settings.on_quarantine);
  }
  if (verdict.action == Action::reject)
    verdict = Verdict::reject("5.7.1", "Rejected by the DMARC policy of " + facts.policy_domain);
  if (facts.override_reason != "local_policy") verdict.score = settings.score;
  verdict.because = describe(facts);
  return verdict;
}

}  // namespace

Verdict judge_dmarc(const DmarcFacts& facts, const DmarcSettings& settings) {
  if (facts.result == AuthResult::fail) return judge_failed(facts, settings);
  if (facts.result == AuthResult::permerror) {
    // Every reader may take another one for the author (RFC 5322, 3.6.2; threats.md M4).
    Verdict verdict = Verdict::reject("5.6.0", "The message must have one From field with one author domain");
    verdict.because = facts.problem;
    return verdict;
  }
  if (facts.result == AuthResult::temperror && settings.on_temperror == DmarcErrorAction::tempfail) {
    Verdict verdict =
        Verdict::tempfail("4.4.3", "The DMARC policy of " + facts.from_domain + " cannot be asked for now");
    verdict.because = facts.problem;
    return verdict;
  }
  return Verdict::none();
}

}  // namespace sallyport::policies
