// The gathering of the Lua rules: runs the rules of a stage, in their order. A rule that waits for an answer stands
// aside, and the next one runs; so all that wait do so beside each other, under the one deadline of the stage and the
// mail's one budget of DNS questions. A rule that could not begin before the deadline runs all the same, and what it
// asks for fails at once (`nil, "timeout"`) where the answer is not at hand. A rule that computes for long gives the
// loop away and goes on in the background of the loop (gateway/async/background.h), until the deadline at most; after
// some more it does so with rests (long_runs.h).
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "lua/engine/long_runs.h"
#include "lua/engine/rule_book.h"
#include "lua/engine/rule_set.h"
#include "lua/engine/run_queue.h"
#include "policies/api/gathering.h"

namespace sallyport::lua {

// What is counted of a rule: the first two by all workers together.
struct RuleNotes {
  std::shared_ptr<RuleTally> tally;
  std::shared_ptr<RuleTrouble> trouble;
  std::shared_ptr<RuleTimes> times;
};

// What one worker has of one set of rules.
struct WorkerRules {
  // `tenant` as GathererParts::tenant.
  WorkerRules(std::unique_ptr<RuleSet> set, const RuleSettings& settings, std::string_view tenant, RuleBook book);

  const std::unique_ptr<RuleSet> rules;
  const bool are_enforced;        // not all of them in shadow
  std::vector<RuleNotes> notes;   // by rule
  std::vector<bool> have_waited;  // by rule: it has waited before, and may again
  RunQueue queue;                 // of such rules, while there are too many
  LongRuns long_runs;             // of mails whose rules have computed for long
};

class RulesGatherer final : public policies::Gatherer {
 public:
  // Null: there are no rules.
  explicit RulesGatherer(std::unique_ptr<WorkerRules> rules);

  bool gathers_at(policies::Stage stage) const override;
  bool precedes_greeting() const override { return gathers_at(policies::Stage::connect); }
  std::unique_ptr<policies::Gathering> begin() const override;

 private:
  std::unique_ptr<WorkerRules> rules_;
};

}  // namespace sallyport::lua
