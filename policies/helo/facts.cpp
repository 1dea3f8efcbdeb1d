#include "policies/helo/facts.h"

namespace sallyport::policies {

constinit const FactsType helo_facts = facts_type<HeloFacts>("helo");

}  // namespace sallyport::policies
