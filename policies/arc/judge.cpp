#include "policies/arc/arc.h"

namespace sallyport::policies {

Verdict judge_arc(const ArcFacts& facts, const ArcSettings& settings) {
  if (facts.result != AuthResult::fail || settings.score == 0) return Verdict::none();
  Verdict verdict;
  verdict.score = settings.score;
  verdict.because = "the chain is broken: " + facts.reason;
  return verdict;
}

}  // namespace sallyport::policies
