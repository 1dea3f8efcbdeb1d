#include <string>
#include <utility>

#include "policies/dkim/dkim.h"

namespace sallyport::policies {

namespace {

std::string describe(const DkimFacts::Signature& signature) {
  if (signature.domain.empty()) return signature.reason;
  return signature.domain + ": " + signature.reason;
}

}  // namespace

void judge_dkim(Stage stage, const Transaction&, const Facts& facts, const DkimSettings& settings, Verdicts& out) {
  const DkimFacts* found = stage == Stage::message ? facts.find<DkimFacts>() : nullptr;
  if (found == nullptr) return;
  const DkimFacts::Signature* broken = nullptr;
  const DkimFacts::Signature* unknown = nullptr;
  for (const DkimFacts::Signature& signature : found->signatures) {
    if (signature.result == AuthResult::pass) return;
    if (is_discounted(signature)) continue;  // a domain that is still trying DKIM out says nothing about the mail
    // Nor does a key that could not be fetched.
    const DkimFacts::Signature*& first = signature.result == AuthResult::temperror ? unknown : broken;
    if (first == nullptr) first = &signature;
  }
  if (broken != nullptr && settings.score != 0)
    out.add(Verdict::scored(settings.score, "no signature holds; " + describe(*broken)));
  if (unknown != nullptr) out.add(Verdict::unknown({}, describe(*unknown)));
}

}  // namespace sallyport::policies
