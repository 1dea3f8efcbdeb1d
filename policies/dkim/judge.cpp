#include "policies/dkim/dkim.h"

namespace sallyport::policies {

Verdict judge_dkim(const DkimFacts& facts, const DkimSettings& settings) {
  const DkimFacts::Signature* broken = nullptr;
  for (const DkimFacts::Signature& signature : facts.signatures) {
    if (signature.result == AuthResult::pass) return Verdict::none();
    // A domain that is still trying DKIM out, and a key that could not be fetched, say nothing about the mail.
    const bool counts = !signature.testing && signature.result != AuthResult::temperror;
    if (counts && !broken) broken = &signature;
  }
  if (!broken || settings.score == 0) return Verdict::none();
  Verdict verdict;
  verdict.score = settings.score;
  verdict.because = "no signature holds";
  if (!broken->domain.empty()) verdict.because += "; " + broken->domain;
  verdict.because += ": " + broken->reason;
  return verdict;
}

}  // namespace sallyport::policies
