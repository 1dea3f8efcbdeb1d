#include "policies/arc/arc.h"

namespace sallyport::policies {

void judge_arc(Stage stage, const Transaction&, const Facts& facts, const ArcSettings& settings, Verdicts& out) {
  const ArcFacts* found = stage == Stage::message ? facts.find<ArcFacts>() : nullptr;
  if (found == nullptr || found->result != AuthResult::fail || settings.score == 0) return;
  out.add(Verdict::scored(settings.score, "the chain is broken: " + found->reason));
}

}  // namespace sallyport::policies
