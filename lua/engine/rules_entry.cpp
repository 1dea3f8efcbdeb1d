#include "lua/engine/rules_entry.h"

#include <memory>
#include <string>
#include <utility>

#include "lua/engine/rules_gathering.h"

namespace sallyport::lua {

namespace {

// A percentage is applied to each rule.
policies::Mode mode_of_all(const void* settings) { return static_cast<const RuleSettings*>(settings)->mode.mode; }

Result<std::unique_ptr<policies::Gatherer>> prepare_rules(const void* settings, const policies::GathererParts& parts) {
  const auto& of_rules = *static_cast<const RuleSettings*>(settings);
  if (!of_rules.has_rules()) return std::unique_ptr<policies::Gatherer>(std::make_unique<RulesGatherer>(nullptr));
  auto rules = RuleSet::load(of_rules, parts.checks, &parts.learned.of<RuleServices>(),
                             parts.upstreams ? *parts.upstreams : std::vector<std::string>());
  if (rules) {
    (*rules)->use_suffixes(parts.suffixes);
    auto of_worker =
        std::make_unique<WorkerRules>(std::move(*rules), of_rules, parts.tenant, parts.learned.of<RuleBook>());
    return std::unique_ptr<policies::Gatherer>(std::make_unique<RulesGatherer>(std::move(of_worker)));
  }
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
    .mode = mode_of_all,
    .facts = rules_facts,
    .prepare = prepare_rules,
    .phase = policies::GatherPhase::on_everything,  // because tx.auth shows what the sender's checks have found
    .judge = policies::judge_with<RuleSettings, judge_rules>,
    .explain = policies::explain_with<RuleSettings, explain_rules>,
};

}  // namespace sallyport::lua
