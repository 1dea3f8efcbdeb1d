#include "lua/engine/facts.h"

namespace sallyport::lua {

constinit const policies::FactsType rules_facts = policies::facts_type<RulesFacts>("rules");

}  // namespace sallyport::lua
