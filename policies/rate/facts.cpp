#include "policies/rate/facts.h"

namespace sallyport::policies {

constinit const FactsType rate_facts = facts_type<RateFacts>("rate");

}  // namespace sallyport::policies
