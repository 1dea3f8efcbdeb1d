#include <string>
#include <utility>

#include "policies/dmarc/dmarc.h"
#include "policies/dmarc/replies.h"

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
  std::string words = "dmarc=" + std::string(word(facts.result)) + " from " + facts.from_domain + ", ";
  words.append(word(facts.published)).append("=").append(word(facts.policy)).append(" of ").append(facts.policy_domain);
  if (facts.override_reason != DmarcOverride::none) words.append(", ").append(word(facts.override_reason));
  return words;
}

Verdict judge_failed(const DmarcFacts& facts, const DmarcSettings& settings) {
  Verdict verdict;
  if (facts.effective != DmarcDisposition::none) {
    verdict.action =
        to_action(facts.effective == DmarcDisposition::reject ? settings.on_reject : settings.on_quarantine);
  }
  if (verdict.action == Action::reject) verdict = refuse_with(dmarc_reply::by_policy, facts.policy_domain);
  if (facts.override_reason != DmarcOverride::local_policy) verdict.score = settings.score;
  if (verdict.says_something()) verdict.because = describe(facts);
  return verdict;
}

// Each reader may take another address for the author's (RFC 5322, 3.6.2; threats.md M4).
Verdict judge_unreadable(const DmarcFacts& facts) {
  Verdict verdict = refuse_with(dmarc_reply::no_single_author);
  verdict.because = facts.problem;
  return verdict;
}

Verdict judge_unknown(const DmarcFacts& facts, const DmarcSettings& settings) {
  Verdict verdict;
  const bool is_excepted = facts.override_reason == DmarcOverride::local_policy;
  if (!is_excepted && settings.on_temperror == DmarcErrorAction::tempfail)
    verdict = refuse_with(dmarc_reply::not_known_for_now, facts.from_domain);
  verdict.is_unknown = true;
  verdict.because = facts.problem;
  return verdict;
}

// The reader may see the phrase alone, and take what is written there for the author's address (threats.md D21).
Verdict judge_phrase(const DmarcFacts& facts, const DmarcSettings& settings) {
  Verdict verdict = Verdict::scored(settings.phrase_score, "the phrase of From shows " + facts.deceptive +
                                                               ", the author's address is of " + facts.from_domain);
  verdict.rule = "from_phrase";
  return verdict;
}

// So that the log and the symbols tell that, and why, less was done than the author's domain asks for.
Verdict judge_override(const DmarcFacts& facts) {
  Verdict verdict;
  verdict.rule = word(facts.override_reason);
  verdict.because = facts.override_comment;
  return verdict;
}

}  // namespace

void judge_dmarc(Stage stage, const Transaction&, const Facts& facts, const DmarcSettings& settings, Verdicts& out) {
  const DmarcFacts* found = stage == Stage::message ? facts.find<DmarcFacts>() : nullptr;
  if (found == nullptr) return;
  if (found->override_reason == DmarcOverride::local_policy) out.add(judge_override(*found));
  if (!found->deceptive.empty()) out.add(judge_phrase(*found, settings));
  if (found->result == AuthResult::fail) out.add(judge_failed(*found, settings));
  if (found->result == AuthResult::permerror) out.add(judge_unreadable(*found));
  if (found->result == AuthResult::temperror) out.add(judge_unknown(*found, settings));
}

}  // namespace sallyport::policies
