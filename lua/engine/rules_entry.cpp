#include "lua/engine/rules_entry.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "gateway/async/wait.h"
#include "lua/engine/rule_set.h"

namespace sallyport::lua {

namespace {

using policies::Facts;
using policies::GatherContext;
using policies::Stage;
using policies::Transaction;

// After a rule that took longer than this, the loop's other sessions run before the next rule does.
constexpr Duration long_run = std::chrono::milliseconds(5);

bool runs_at(const Rule& rule, Stage stage) { return rule.stage == stage && rule.mode != policies::Mode::off; }

Fault fault_of(RunResult::Kind kind) {
  if (kind == RunResult::Kind::timeout) return Fault::rule_timeout;
  return kind == RunResult::Kind::memory ? Fault::rule_memory : Fault::rule_error;
}

// Completes the fact of a failed run, counts the fault and logs it. The error's message is left out, because it may
// quote the mail.
void record_failure(RunResult& result, const Rule& rule, const Transaction& mail, const GatherContext& context) {
  const Fault fault = fault_of(result.kind);
  RuleFact& fact = result.fact;
  fact.answer = RuleAnswer::error;
  fact.detail = name(fault);
  if (rule.on_error == OnError::tempfail) {
    fact.code = 451;
    fact.dsn = "4.7.1";
    fact.text = "Local policy could not be checked";
  }
  context.counters.add(fault);
  context.log.write(LogLevel::warning, "fault",
                    {{"kind", name(fault)},
                     {"id", mail.id},
                     {"rule", fact.rule},
                     {"file", fact.file},
                     {"line", std::int64_t{fact.line}}});
}

// The result of a rule that was not run because the stage's deadline had passed.
RunResult not_run(const Rule& rule) {
  RunResult result;
  result.kind = RunResult::Kind::timeout;
  result.fact.rule = rule.name;
  result.fact.stage = rule.stage;
  result.fact.shadow = rule.mode == policies::Mode::shadow;
  result.fact.file = rule.file;
  result.fact.line = rule.line;
  return result;
}

class RulesGathering final : public policies::Gathering {
 public:
  explicit RulesGathering(RuleSet& rules) : rules_(rules) {}

  // Replaces the rule facts of `stage`: at rcpt, facts about one recipient must not decide about the next, and a
  // tenant's rules replace those for everybody. After a long rule the loop runs other sessions first.
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    RulesFacts found = facts.get<RulesFacts>();
    std::erase_if(found.rules, [stage](const RuleFact& fact) { return fact.stage == stage; });
    bool was_long = false;
    for (const Rule& rule : rules_.rules()) {
      if (!runs_at(rule, stage)) continue;
      if (was_long) co_await async::sleep_for(context.scheduler, Duration(1));
      const auto started = std::chrono::steady_clock::now();
      RunResult result = context.scheduler.is_over(context.deadline) ? not_run(rule) : rules_.run(rule, mail, facts);
      was_long = std::chrono::steady_clock::now() - started >= long_run;
      if (result.kind == RunResult::Kind::silent) continue;
      if (result.kind != RunResult::Kind::verdict) record_failure(result, rule, mail, context);
      found.rules.push_back(std::move(result.fact));
    }
    facts.put(std::move(found));
  }

 private:
  RuleSet& rules_;
};

class RulesGatherer final : public policies::Gatherer {
 public:
  // Null: there are no rules.
  explicit RulesGatherer(std::unique_ptr<RuleSet> rules) : rules_(std::move(rules)) {}

  bool gathers_at(Stage stage) const override {
    return rules_ && std::any_of(rules_->rules().begin(), rules_->rules().end(),
                                 [stage](const Rule& rule) { return runs_at(rule, stage); });
  }
  bool precedes_greeting() const override { return gathers_at(Stage::connect); }
  std::unique_ptr<policies::Gathering> begin() const override { return std::make_unique<RulesGathering>(*rules_); }

 private:
  std::unique_ptr<RuleSet> rules_;
};

Result<std::unique_ptr<policies::Gatherer>> prepare_rules(const void* settings, const policies::GathererParts& parts) {
  const auto& of_rules = *static_cast<const RuleSettings*>(settings);
  if (of_rules.path.empty()) return std::unique_ptr<policies::Gatherer>(std::make_unique<RulesGatherer>(nullptr));
  auto rules = RuleSet::load(of_rules, parts.checks);
  if (rules) return std::unique_ptr<policies::Gatherer>(std::make_unique<RulesGatherer>(std::move(*rules)));
  std::string lines = "the rules do not load:";
  for (const LoadError& error : rules.error()) {
    lines += "\n" + error.file + ":" + std::to_string(error.line) + ": error: " + error.message;
  }
  return Failure{std::move(lines)};
}

}  // namespace

constinit const policies::PolicyEntry rules_entry{
    .name = "rules",
    .settings = rules_section,
    .mode = policies::mode_of<RuleSettings>,
    .facts = rules_facts,
    .prepare = prepare_rules,
    .phase = policies::GatherPhase::on_everything,  // because tx.auth shows what the sender's checks have found
    .judge = policies::judge_with<RuleSettings, judge_rules>,
    .explain = policies::explain_with<RuleSettings, explain_rules>,
};

}  // namespace sallyport::lua
