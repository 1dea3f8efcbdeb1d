#include "policies/milters/facts.h"

#include <algorithm>

namespace sallyport::policies {

const MilterAnswer* MilterFacts::at(Stage stage) const {
  const auto found =
      std::find_if(answers.begin(), answers.end(), [stage](const MilterAnswer& one) { return one.stage == stage; });
  return found == answers.end() ? nullptr : &*found;
}

const MilterFacts* MiltersFacts::find(std::string_view name) const {
  const auto found =
      std::find_if(milters.begin(), milters.end(), [name](const MilterFacts& one) { return one.name == name; });
  return found == milters.end() ? nullptr : &*found;
}

MilterFacts& MiltersFacts::of(const std::string& name) {
  const auto found =
      std::find_if(milters.begin(), milters.end(), [&name](const MilterFacts& one) { return one.name == name; });
  if (found != milters.end()) return *found;
  MilterFacts& added = milters.emplace_back();
  added.name = name;
  return added;
}

constinit const FactsType milters_facts = facts_type<MiltersFacts>("milters");

}  // namespace sallyport::policies
