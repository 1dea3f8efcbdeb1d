// RulesPolicy: the Lua rules as a policy. gather() runs the rules of the stage, judge() adds up what they had to say.
//
// The verdict of a stage is the strictest one of its rules; scores of hits are summed. Headers and a subject prefix are
// those of all tags. An accept survives a tag beside it (the headers are then in the accept), and gives way to anything
// stricter. A rule in shadow mode counts only when no other rule had anything to say, and then in a verdict marked as
// shadow.
#pragma once

#include <memory>
#include <string_view>

#include "lua/engine/rule_set.h"
#include "lua/engine/settings.h"
#include "policies/api/policy.h"

namespace sallyport::lua {

class RulesPolicy final : public policies::Policy {
 public:
  // `rules` is this worker's own.
  RulesPolicy(const RuleSettings& settings, std::unique_ptr<RuleSet> rules);

  std::string_view name() const override { return "rules"; }
  policies::Mode mode() const override { return mode_; }
  bool gathers_at(policies::Stage stage) const override { return has_rules_at(stage); }
  // tx.auth has what the checks of the sender have found.
  Turn gather_turn() const override { return Turn::on_everything; }
  bool judges_at(policies::Stage stage) const override { return has_rules_at(stage); }

  // Replaces the facts of the stage: at rcpt, what was said of one recipient must not decide about the next. A rule
  // that fails is counted and logged here, and its on_error is in its fact. Between long rules the loop gets its turn.
  Task<void> gather(policies::Stage stage, const policies::Transaction& mail, policies::Facts& facts,
                    const policies::Surroundings& around) const override;
  policies::Verdict judge(policies::Stage stage, const policies::Transaction& mail,
                          const policies::Facts& facts) const override;

 private:
  bool has_rules_at(policies::Stage stage) const;

  policies::Mode mode_;
  std::unique_ptr<RuleSet> rules_;
};

}  // namespace sallyport::lua
