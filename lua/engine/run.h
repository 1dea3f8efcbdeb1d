// Run: one execution of one rule for one mail, from its call to what it returns. It may take several slices: between
// them it waits for an answer, or lets the loop do something else, and other runs of the same rules execute.
//
// A run has for itself: its globals, the values of the files' local variables, its budget, the values that belong to
// its mail, and what it waits for. Engine::context and the variables have them while the run executes; go_on() swaps
// them when another run has executed meanwhile. So two runs of the same rule never see each other (threats.md L6).
//
// Whoever owns the Run may destroy it between two slices; then it never executes again, not even its __close handlers.
// It must not outlive the engine, the rule, the mail, the facts and the context.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "gateway/async/frame_pool.h"
#include "lua/engine/engine.h"
#include "lua/engine/mail_notes.h"
#include "lua/engine/rule.h"
#include "lua/engine/run_changes.h"
#include "lua/engine/run_result.h"
#include "lua/engine/waiting.h"
#include "policies/api/transaction.h"

namespace sallyport::lua {

// For whom a run executes.
struct RunCase {
  const policies::Transaction& mail;
  const policies::Facts& facts;
  const policies::GatherContext* context = nullptr;  // null: it can neither wait nor pause
  Duration* mail_cpu = nullptr;        // processor time of all rules for this mail so far; null: not counted
  MailAllowance* allowance = nullptr;  // what they may still do for it; null: not counted
  MailNotes* notes = nullptr;          // of the rules of this stage; null: the run has its own
};

// Most runs last for microseconds, so their memory is had from the pool that coroutines' frames have theirs from.
class Run : public async::PooledFrame {
 public:
  enum class State : std::uint8_t {
    ready,   // it has not begun
    waits,   // go on when there is news
    pauses,  // go on in another turn of the loop
    ended,   // result() is complete
  };

  Run(Engine& engine, const Rule& rule, const RunCase& of);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run();

  // A run that has executed for so long at once should give the loop away.
  static constexpr Duration longest_slice = std::chrono::microseconds(100);

  // Executes until the run ends or waits, or pauses because it has executed for `slice`, within what its budget has
  // left. Throws nothing that the rule does.
  State go_on(Duration slice = longest_slice);
  // Ends a run that waits, or one without processor time left: the result is a timeout.
  void give_up();

  State state() const { return state_; }
  const Rule& rule() const { return rule_; }
  // The processor time of all its slices.
  Duration cpu() const { return used_.cpu; }
  RunResult& result() { return result_; }
  // Only for runs that have a context.
  Waiting& waiting() { return *waiting_; }

 private:
  static int slice(lua_State* L);
  void execute(lua_State* L);
  void begin(lua_State* L);
  void suspend(lua_State* L);
  void finish(int status, int results);
  // The values of the files' variables: put in place, taken out, and made what they were after loading.
  void install(lua_State* L);
  void uninstall(lua_State* L);
  void restore_variables(lua_State* L);
  void read_result(int results);
  void take_changes();
  void read_failure(int status);
  void end_as(RunResult::Kind kind, const Place& place);
  void complete_result();
  void become(State state);
  Duration cpu_allowed() const;

  Engine& engine_;
  const Rule& rule_;
  const RunCase case_;
  const std::uint64_t number_;
  State state_ = State::ready;
  Engine::Thread thread_;
  // Set only for a run that has waited or paused. A table: [0] the globals, [i] the value of rule_.upvalues[i - 1].
  int values_reference_ = no_reference;
  Used used_;
  std::uint64_t patterns_left_;
  std::optional<Waiting> waiting_;
  RunChanges changes_;
  Duration slice_{};                      // for execute()
  std::unique_ptr<MailNotes> own_notes_;  // where nobody has given it others
  RunResult result_;
};

}  // namespace sallyport::lua
