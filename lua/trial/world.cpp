#include "lua/trial/world.h"

#include <memory>
#include <utility>

#include "lua/trial/staged.h"

namespace sallyport::lua {

RunResult World::run(RuleSet& rules, const Rule& rule, const TrialMail& mail) {
  Staged staged(*this, mail, rule.stage);
  const std::unique_ptr<Run> run = rules.begin(rule, staged.run_case());
  staged.drive(run_to_its_end(*run, staged.context()));
  return std::move(run->result());
}

}  // namespace sallyport::lua
