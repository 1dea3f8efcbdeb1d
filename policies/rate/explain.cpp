#include <string>

#include "policies/rate/rate.h"

namespace sallyport::policies {

namespace {

std::string describe(const RateFact& fact) {
  return std::string(word(fact.name)) + ' ' + fact.key + " of " + to_text(fact.rate);
}

}  // namespace

Explained explain_rate(const Transaction&, const Facts& facts, const RateSettings&) {
  const RateFacts rates = facts.get<RateFacts>();
  if (rates.asked.empty()) return {"not run", "", {}};
  Explained explained{"within", "all that were asked for:", {}};
  for (const RateFact& fact : rates.asked) {
    explained.details.push_back(describe(fact));
    if (!fact.allowed) {
      explained.result = "used up";
      explained.fact = describe(fact);
    } else if (!fact.counted) {
      explained.result = "not counted";
      explained.fact = "what would have been:";
    }
  }
  return explained;
}

}  // namespace sallyport::policies
