#include <string>

#include "policies/spf/spf.h"

namespace sallyport::policies {

namespace {

std::string describe(const SpfCheck& check) {
  std::string words = check.domain;
  if (!check.problem.empty()) return words + ": " + check.problem;
  if (!check.mechanism.empty()) return words + " says " + check.mechanism;
  return words + (check.result == AuthResult::none ? " publishes no record" : ": no term matches");
}

}  // namespace

Explained explain_spf(const Transaction&, const Facts& facts, const SpfSettings&) {
  Explained row;
  const SpfFacts* found = facts.find<SpfFacts>();
  if (found == nullptr || !found->mailfrom) {
    row.result = "not run";
  } else {
    row.result = word(found->mailfrom->result);
    row.fact = describe(*found->mailfrom);
    if (!found->mailfrom->explanation.empty()) row.details.push_back("they say: " + found->mailfrom->explanation);
  }
  if (found != nullptr && found->helo)
    row.details.push_back("HELO: " + std::string(word(found->helo->result)) + ", " + describe(*found->helo));
  return row;
}

}  // namespace sallyport::policies
