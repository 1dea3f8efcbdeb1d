#include "lua/trial/world.h"

#include <memory>
#include <utility>

#include "lua/trial/staged.h"

namespace sallyport::lua {

World::World()
    : clock_(std::make_shared<WallTime>(start)),
      web_(std::make_unique<WebTable>()),
      memory_(std::make_unique<state::MailMemory>(state::MailMemory::Options(), [clock = clock_] {
        return Time(std::chrono::duration_cast<Duration>(clock->time_since_epoch()));
      })) {
  services = {memory_.get(), web_.get(), nullptr};
}

World::Outcome World::run(RuleSet& rules, const Rule& rule, const TrialMail& mail) {
  Staged staged(*this, mail, rule.stage);
  rules.use(&services);
  const std::unique_ptr<Run> run = rules.begin(rule, staged.run_case());
  staged.drive(run_to_its_end(*run, staged.context()));
  rules.use(nullptr);
  return {std::move(run->result()), staged.take_log()};
}

}  // namespace sallyport::lua
