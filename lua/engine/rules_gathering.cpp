#include "lua/engine/rules_gathering.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "gateway/async/background.h"
#include "gateway/async/nursery.h"
#include "lua/engine/replies.h"
#include "lua/engine/run.h"

namespace sallyport::lua {

namespace {

using policies::Facts;
using policies::GatherContext;
using policies::Stage;
using policies::Transaction;

// A run is over within this time, where the deadline had passed before it began; but for its first slice.
constexpr Duration patience_with_late = std::chrono::seconds(1);

bool runs_at(const Rule& rule, Stage stage) { return rule.stage == stage && rule.mode.mode != policies::Mode::off; }

// A rule may execute for Run::longest_slice at once; after that it goes on in the background of the loop. A mail beside
// it takes ten turns of the loop or so, and waits for at most one slice in each of them, whatever runs there are.
constexpr Duration idle_slice = std::chrono::microseconds(50);  // when nothing else had to be done
constexpr Duration busy_slice = std::chrono::microseconds(20);
// The rules of a mail that are short together have so long at once.
constexpr Duration most_at_once = std::chrono::milliseconds(1);

// A mail whose rules have executed for so long in all leaves most of the loop's time to others (LongRuns). Rules that
// are written well need far less for a mail.
constexpr Duration long_for_a_mail = std::chrono::milliseconds(20);
constexpr Duration rested_slice = std::chrono::microseconds(150);

Duration background_slice(const async::Scheduler& scheduler) { return scheduler.is_busy() ? busy_slice : idle_slice; }

Fault fault_of(RunResult::Kind kind) {
  if (kind == RunResult::Kind::timeout) return Fault::rule_timeout;
  return kind == RunResult::Kind::memory ? Fault::rule_memory : Fault::rule_error;
}

// Makes the fact one of a rule that could not be asked: what becomes of the mail is the rule's on_error.
void complete_error(RuleFact& fact, const Rule& rule, std::string_view detail) {
  fact.answer = RuleAnswer::error;
  fact.detail = detail;
  if (rule.on_error == OnError::tempfail) {
    fact.code = rules_reply::not_checked.code;
    fact.dsn = rules_reply::not_checked.dsn;
    fact.text = rules_reply::not_checked.text;
  }
}

// The fact of a rule that is suspended for the mail's client.
RuleFact suspended_fact(const Rule& rule, const Transaction& mail) {
  RuleFact fact;
  fact.rule = rule.name;
  fact.stage = rule.stage;
  fact.file = rule.file;
  fact.line = rule.line;
  fact.shadow = is_shadow_for(rule.mode, mail.id);
  complete_error(fact, rule, "rule_suspended");
  return fact;
}

// Completes the fact of a failed run, counts the fault and logs it. Of the error's text the fact has only what is no
// content of the mail.
void record_failure(RunResult& result, const Rule& rule, const Transaction& mail, const GatherContext& context) {
  const Fault fault = fault_of(result.kind);
  RuleFact& fact = result.fact;
  complete_error(fact, rule, name(fault));
  context.counters.add(fault);
  std::vector<LogField> fields{{"kind", name(fault)},
                               {"id", mail.id},
                               {"rule", fact.rule},
                               {"file", fact.file},
                               {"line", std::int64_t{fact.line}}};
  if (!fact.error.empty()) fields.push_back({"error", fact.error});
  context.log.write(LogLevel::warning, "fault", fields);
}

// Counts a failure towards the rule's suspension, and logs the one that suspends it.
void note_failure(const RuleNotes& notes, const Rule& rule, const Transaction& mail, const GatherContext& context) {
  if (!notes.trouble->note_failure(context.scheduler.now(), mail.client.ip)) return;
  notes.tally->suspensions.fetch_add(1, std::memory_order_relaxed);
  context.log.write(LogLevel::error, "rule_suspended",
                    {{"rule", rule.name},
                     {"file", rule.file},
                     {"line", std::int64_t{rule.line}},
                     {"failures", static_cast<std::int64_t>(RuleTrouble::most_failures)}});
}

// What one rule has come to at one stage, where that is anything.
struct Outcome {
  std::size_t index;  // of the rule
  std::optional<RuleFact> fact;
  std::vector<dns::Evidence> asked;
};

// Destroys the run, also when its task is dropped, and tells the queue that there is room.
class EndOfRun {
 public:
  EndOfRun(WorkerRules& rules, std::unique_ptr<Run>& run) : rules_(rules), run_(run) {}
  ~EndOfRun() {
    run_.reset();
    rules_.queue.run_ended();
  }
  EndOfRun(const EndOfRun&) = delete;
  EndOfRun& operator=(const EndOfRun&) = delete;

 private:
  WorkerRules& rules_;
  std::unique_ptr<Run>& run_;
};

// One stage of one mail.
class StageRuns {
 public:
  StageRuns(WorkerRules& rules, Stage stage, const Transaction& mail, const Facts& facts, const GatherContext& context,
            Duration& cpu_of_mail, MailAllowance& allowance)
      : rules_(rules),
        stage_(stage),
        context_(context),
        case_{mail, facts, &context, &cpu_of_mail, &allowance, &notes_},
        waiting_(context.scheduler) {}

  Task<void> run() {
    for (std::size_t i = 0; i < rules_.rules->rules().size(); ++i) {
      const Rule& rule = rules_.rules->rules()[i];
      if (!runs_at(rule, stage_)) continue;
      if (rules_.notes[i].trouble->is_suspended_for(case_.mail.client.ip)) {
        outcomes_.push_back({i, suspended_fact(rule, case_.mail), {}});
        continue;
      }
      const bool is_in_background = has_computed_long_;
      const bool has_rested = is_in_background && co_await wait_for_slice(*this, context_.deadline);
      if (rules_.have_waited[i] && (rules_.rules->is_crowded() || !rules_.queue.is_empty())) {
        waiting_.spawn(run_later(*this, i));
        continue;
      }
      std::unique_ptr<Run> run = rules_.rules->begin(rule, case_);
      const Start start{context_.scheduler.now(), is_over()};
      go_on(*run, is_in_background ? slice_in_background(has_rested) : slice_at_once(*run));
      if (run->state() == Run::State::ended) {
        take(*run, i, start);
      } else {
        waiting_.spawn(finish(*this, std::move(run), i, start));
      }
    }
    co_await waiting_.join();
  }

  // In the order of the rules.
  void add_to(RulesFacts& found) {
    std::stable_sort(outcomes_.begin(), outcomes_.end(),
                     [](const Outcome& a, const Outcome& b) { return a.index < b.index; });
    for (Outcome& outcome : outcomes_) {
      const std::string& name = rules_.rules->rules()[outcome.index].name;
      for (dns::Evidence& asked : outcome.asked) {
        const bool is_known = std::any_of(found.lookups.begin(), found.lookups.end(), [&](const RuleLookup& one) {
          return one.rule == name && one.stage == stage_ && one.asked.question == asked.question;
        });
        if (!is_known) found.lookups.push_back({name, stage_, std::move(asked)});
      }
      if (outcome.fact) found.rules.push_back(std::move(*outcome.fact));
    }
  }

 private:
  struct Start {
    Time at{};
    bool was_late = false;  // the deadline had passed
  };

  bool is_over() const { return context_.scheduler.is_over(context_.deadline); }

  // Waits until the next slice may begin, of rules that have given the loop away. True: a rested one.
  static Task<bool> wait_for_slice(StageRuns& self, Time until) {
    const GatherContext& context = self.context_;
    bool has_rested = false;
    if (*self.case_.mail_cpu >= long_for_a_mail)
      has_rested = co_await self.rules_.long_runs.take_turn(context.scheduler, context.payer, until);
    co_await async::Background(context.scheduler, context.payer);
    co_return has_rested;
  }

  // The next slice of a run.
  void go_on(Run& run, Duration slice) {
    const Duration before = run.cpu();
    run.go_on(slice);
    at_once_ += run.cpu() - before;
    has_computed_long_ = run.state() == Run::State::pauses || at_once_ >= most_at_once;
  }
  Duration slice_at_once(const Run& run) const { return Run::longest_slice - std::min(run.cpu(), Run::longest_slice); }
  // After wait_for_slice().
  Duration slice_in_background(bool has_rested) {
    at_once_ = Duration::zero();
    return has_rested ? rested_slice : background_slice(context_.scheduler);
  }

  static Task<void> run_later(StageRuns& self, std::size_t index) {
    const GatherContext& context = self.context_;
    std::unique_ptr<Run> run = self.rules_.rules->begin(self.rules_.rules->rules()[index], self.case_);
    co_await self.rules_.queue.take_turn(context.scheduler, *self.rules_.rules, context.deadline);
    const Start start{context.scheduler.now(), self.is_over()};
    self.go_on(*run, self.slice_at_once(*run));
    co_await finish(self, std::move(run), index, start);
  }

  // A rule that still waits or computes at the deadline is ended. One that had not begun by then is none of the causes:
  // it runs a little longer, and what it waits for fails at once.
  static Task<void> finish(StageRuns& self, std::unique_ptr<Run> run, std::size_t index, Start start) {
    const EndOfRun end(self.rules_, run);
    async::Scheduler& scheduler = self.context_.scheduler;
    const Time until = start.was_late ? scheduler.now() + patience_with_late : self.context_.deadline;
    while (run->state() != Run::State::ended) {
      if (run->state() == Run::State::waits) {
        self.rules_.have_waited[index] = true;
        co_await run->waiting().news(until);
        run->waiting().check();
      }
      const bool is_in_background = run->state() == Run::State::pauses || run->cpu() >= Run::longest_slice;
      const bool has_rested = is_in_background && co_await wait_for_slice(self, until);
      if (scheduler.is_over(until)) {
        run->give_up();
      } else {
        self.go_on(*run, is_in_background ? self.slice_in_background(has_rested) : self.slice_at_once(*run));
      }
    }
    self.take(*run, index, start);
  }

  void take(Run& run, std::size_t index, Start start) {
    // The scheduler's time stands still within a step of the loop, the processor's does not.
    rules_.notes[index].times->took.add(std::max(run.cpu(), context_.scheduler.now() - start.at));
    run.waiting().check();
    std::vector<dns::Evidence> asked = run.waiting().take_record();
    RunResult& result = run.result();
    if (result.kind == RunResult::Kind::silent && asked.empty()) return;
    Outcome& outcome = outcomes_.emplace_back(Outcome{index, std::nullopt, std::move(asked)});
    if (result.kind == RunResult::Kind::silent) return;
    const RuleNotes& notes = rules_.notes[index];
    if (result.kind != RunResult::Kind::verdict) {
      record_failure(result, run.rule(), case_.mail, context_);
      notes.tally->failures.fetch_add(1, std::memory_order_relaxed);
      if (!result.was_given_up) note_failure(notes, run.rule(), case_.mail, context_);
    } else {
      const bool counts = rules_.are_enforced && !result.fact.shadow;
      (counts ? notes.tally->hits : notes.tally->would_have).fetch_add(1, std::memory_order_relaxed);
    }
    outcome.fact = std::move(result.fact);
  }

  WorkerRules& rules_;
  const Stage stage_;
  const GatherContext& context_;
  MailNotes notes_;
  const RunCase case_;
  std::vector<Outcome> outcomes_;
  Duration at_once_{};              // what the rules have executed since they gave the loop away
  bool has_computed_long_ = false;  // so the next one goes on in the background
  async::Nursery waiting_;          // last, so that it is destroyed before what its tasks use
};

class RulesGathering final : public policies::Gathering {
 public:
  explicit RulesGathering(WorkerRules& rules) : rules_(rules) {}

  // Replaces the rule facts of `stage`: at rcpt, facts about one recipient must not decide about the next, and a
  // tenant's rules replace those for everybody.
  Task<void> gather(Stage stage, const Transaction& mail, Facts& facts, const GatherContext& context) override {
    StageRuns runs(rules_, stage, mail, facts, context, context.running_rules ? *context.running_rules : cpu_,
                   allowance_);
    co_await runs.run();
    RulesFacts found = facts.get<RulesFacts>();
    std::erase_if(found.rules, [stage](const RuleFact& fact) { return fact.stage == stage; });
    std::erase_if(found.lookups, [stage](const RuleLookup& lookup) { return lookup.stage == stage; });
    runs.add_to(found);
    facts.put(std::move(found));
  }

 private:
  WorkerRules& rules_;
  Duration cpu_{};  // where nobody counts for the whole mail
  MailAllowance allowance_;
};

}  // namespace

WorkerRules::WorkerRules(std::unique_ptr<RuleSet> set, const RuleSettings& settings, std::string_view tenant,
                         RuleBook book)
    : rules(std::move(set)),
      are_enforced(settings.mode.mode == policies::Mode::enforce),
      have_waited(rules->rules().size()) {
  for (const Rule& rule : rules->rules()) {
    notes.push_back({book.tally(rule.name), book.trouble(tenant, settings.path, rule.name), book.times(rule.name)});
  }
}

RulesGatherer::RulesGatherer(std::unique_ptr<WorkerRules> rules) : rules_(std::move(rules)) {}

bool RulesGatherer::gathers_at(Stage stage) const {
  if (!rules_) return false;
  const std::vector<Rule>& rules = rules_->rules->rules();
  return std::any_of(rules.begin(), rules.end(), [stage](const Rule& rule) { return runs_at(rule, stage); });
}

std::unique_ptr<policies::Gathering> RulesGatherer::begin() const { return std::make_unique<RulesGathering>(*rules_); }

}  // namespace sallyport::lua
