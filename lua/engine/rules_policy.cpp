#include "lua/engine/rules_policy.h"

#include <algorithm>
#include <chrono>

#include "gateway/async/wait.h"

namespace sallyport::lua {

namespace {

using policies::Action;
using policies::Facts;
using policies::RuleFact;
using policies::Stage;
using policies::Surroundings;
using policies::Transaction;
using policies::Verdict;

// A rule that took longer lets the loop's other sessions go first before the next rule runs.
constexpr Duration long_run = std::chrono::milliseconds(5);

bool runs_at(const Rule& rule, Stage stage) { return rule.stage == stage && rule.mode != policies::Mode::off; }

Fault fault_of(RunResult::Kind kind) {
  if (kind == RunResult::Kind::timeout) return Fault::rule_timeout;
  return kind == RunResult::Kind::memory ? Fault::rule_memory : Fault::rule_error;
}

// Turns what is left of a failed run into the fact that judge() goes by, and tells of it: without the error's message,
// which may quote the mail.
void record_failure(RunResult& result, const Rule& rule, const Transaction& mail, const Surroundings& around) {
  const Fault fault = fault_of(result.kind);
  RuleFact& fact = result.fact;
  fact.verdict = "error";
  fact.detail = name(fault);
  if (rule.on_error == OnError::tempfail) {
    fact.code = 451;
    fact.dsn = "4.7.1";
    fact.text = "Local policy could not be checked";
  }
  around.counters.add(fault);
  around.log.write(LogLevel::warning, "fault",
                   {{"kind", name(fault)},
                    {"id", mail.id},
                    {"rule", fact.rule},
                    {"file", fact.file},
                    {"line", std::int64_t{fact.line}}});
}

// The stage's time is up before the rule's turn has come.
RunResult not_run(const Rule& rule) {
  RunResult result;
  result.kind = RunResult::Kind::timeout;
  result.fact.rule = rule.name;
  result.fact.stage = policies::name(rule.stage);
  result.fact.shadow = rule.mode == policies::Mode::shadow;
  result.fact.file = rule.file;
  result.fact.line = rule.line;
  return result;
}

Action action_of(const RuleFact& fact) {
  if (fact.verdict == "drop") return Action::drop;
  if (fact.verdict == "reject") return Action::reject;
  if (fact.verdict == "tempfail") return Action::tempfail;
  if (fact.verdict == "discard") return Action::discard;
  if (fact.verdict == "tag") return Action::tag;
  if (fact.verdict == "accept") return Action::accept;
  return fact.verdict == "error" && fact.code != 0 ? Action::tempfail : Action::none;
}

// Strictness as policies::Action has it, but that an accept, which also says what is skipped, outranks a tag, of which
// the verdict has the headers anyway.
int rank(Action action) {
  if (action == Action::accept) return 2 * static_cast<int>(Action::tag) + 1;
  return 2 * static_cast<int>(action);
}

std::string describe(const RuleFact& fact) {
  std::string because = "rule " + fact.rule + ": " + fact.verdict;
  const std::string& more = fact.detail.empty() ? fact.text : fact.detail;
  return more.empty() ? because : because + ", " + more;
}

// Adds up facts into one verdict.
class Sum {
 public:
  void add(const RuleFact& fact) {
    const Action action = action_of(fact);
    const bool decides = verdict_.rule.empty() || rank(action) > rank(verdict_.action);
    if (decides) {
      verdict_.action = action;
      verdict_.rule = fact.rule;
      verdict_.because = describe(fact);
      verdict_.code = action == Action::none ? 0 : fact.code;
      verdict_.dsn = fact.dsn;
      verdict_.text = fact.text;
      verdict_.close = action == Action::drop || verdict_.code == 421;
    }
    if (action == Action::accept) accept(fact);
    if (fact.verdict == "hit") verdict_.score += fact.score;
    verdict_.add_headers.insert(verdict_.add_headers.end(), fact.add_headers.begin(), fact.add_headers.end());
    verdict_.subject_prefix += fact.subject_prefix;
  }

  bool is_empty() const { return verdict_.rule.empty(); }
  Verdict take(bool shadow) {
    verdict_.check = "rules";
    verdict_.shadow = shadow;
    if (verdict_.action != Action::accept) verdict_.skip.clear();
    return std::move(verdict_);
  }

 private:
  // Of several accepts, all that any of them skips; one without a list skips everything.
  void accept(const RuleFact& fact) {
    skips_all_ = skips_all_ || fact.skip.empty();
    verdict_.skip.insert(verdict_.skip.end(), fact.skip.begin(), fact.skip.end());
    if (skips_all_) verdict_.skip.clear();
  }

  Verdict verdict_;
  bool skips_all_ = false;
};

}  // namespace

RulesPolicy::RulesPolicy(const RuleSettings& settings, std::unique_ptr<RuleSet> rules)
    : mode_(settings.mode), rules_(std::move(rules)) {}

bool RulesPolicy::has_rules_at(Stage stage) const {
  const auto& rules = rules_->rules();
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) { return runs_at(rule, stage); });
}

Task<void> RulesPolicy::gather(Stage stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  std::vector<RuleFact>& found = facts.rules.rules;
  std::erase_if(found, [&](const RuleFact& fact) { return fact.stage == policies::name(stage); });
  bool was_long = false;
  for (const Rule& rule : rules_->rules()) {
    if (!runs_at(rule, stage)) continue;
    if (was_long) co_await async::sleep_for(around.scheduler, Duration(1));
    const auto started = std::chrono::steady_clock::now();
    RunResult result = around.scheduler.now() < around.deadline ? rules_->run(rule, mail, facts) : not_run(rule);
    was_long = std::chrono::steady_clock::now() - started >= long_run;
    if (result.kind == RunResult::Kind::silent) continue;
    if (result.kind != RunResult::Kind::verdict) record_failure(result, rule, mail, around);
    found.push_back(std::move(result.fact));
  }
}

Verdict RulesPolicy::judge(Stage stage, const Transaction&, const Facts& facts) const {
  Sum enforced;
  Sum shadows;
  for (const RuleFact& fact : facts.rules.rules) {
    if (fact.stage != policies::name(stage)) continue;
    (fact.shadow ? shadows : enforced).add(fact);
  }
  if (!enforced.is_empty()) return enforced.take(false);
  return shadows.is_empty() ? Verdict::none() : shadows.take(true);
}

}  // namespace sallyport::lua
