#include <string>

#include "policies/api/exemption.h"
#include "policies/rate/rate.h"

namespace sallyport::policies {

namespace {

std::string describe(const RateFact& fact) {
  return std::string(word(fact.name)) + ' ' + fact.key + " of " + to_text(fact.rate);
}

}  // namespace

Explained explain_rate(const Transaction& mail, const Facts& facts, const RateSettings& settings) {
  const RateFacts rates = facts.get<RateFacts>();
  const Exemption exemption = exemption_of(mail.client, settings.skip);
  if (exemption != Exemption::none) return {"not limited", describe(exemption, "rate"), {}};
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
