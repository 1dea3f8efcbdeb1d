// Context: what the C++ functions that rules call need to know of the Lua state they run in. Each RuleSet has one;
// every thread (coroutine) of its state points to it, and `Context::of` finds it. Used by one system thread at a time,
// as the RuleSet is. What is of one run is put here when the run executes (run.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "gateway/base/public_suffix.h"
#include "lua/engine/allowance.h"
#include "lua/engine/known_names.h"
#include "lua/engine/mail_notes.h"
#include "lua/engine/meter.h"
#include "lua/engine/rule_lines.h"
#include "lua/engine/services.h"
#include "lua/engine/settings.h"
#include "policies/api/facts.h"
#include "policies/api/gathering.h"

namespace sallyport::lua {

class Loading;
struct Rule;
class Request;
class Waiting;
struct RunChanges;

// Why the engine, not the rule, yields. Every function of ours that resumes a coroutine passes such a yield on, up to
// Run, and resumes the coroutine again when it is resumed itself.
enum class HostYield : std::uint8_t {
  none,
  waits,   // the run waits for an answer
  pauses,  // it has executed for long, and the loop is to do something else
};

struct Context {
  Meter meter;
  KnownNames checks{"check"};
  KnownNames upstreams{"upstream"};
  Loading* loading = nullptr;  // set while rule files load, else null
  const RuleSettings* settings = nullptr;
  const RuleServices* services = nullptr;
  const Rule* rule = nullptr;                          // that the current run executes
  const policies::Transaction* mail = nullptr;         // for which it runs
  const policies::GatherContext* gathering = nullptr;  // for which it runs; null: for none, as in tests
  const policies::Facts* facts = nullptr;              // of the mail that the current run judges
  MailNotes* notes = nullptr;                          // of the stage that the current run is of; null: no run
  const PublicSuffixList* suffixes = nullptr;          // null: that of the machine is read
  std::uint64_t run = 0;                               // number of the current run; a value of another run is stale
  RunChanges* changes = nullptr;                       // of the current run; null: it can change nothing
  std::uint64_t patterns_left = 0;                     // how many sp.re() patterns this run may still compile
  MailAllowance* allowance = nullptr;                  // of the mail; null: nothing is counted
  unsigned closing_coroutines = 0;                     // depth of coroutine.close() calls inside __close handlers

  // Whose text an error has, as digest_of() of the last one: what the rule itself has raised may be a mail's content,
  // what the engine has raised, and the rule has caught, may be raised again. See fixed_text.h.
  std::size_t raised_by_rule = 0;
  std::size_t raised_by_engine = 0;

  Waiting* waiting = nullptr;  // what the current run waits for; null: it cannot wait
  // False while a coroutine executes that was resumed where Lua cannot yield, such as in a comparison of table.sort.
  bool can_yield = true;
  bool suspends = false;                   // a coroutine has been suspended by such a yield, in some run
  HostYield host_yield = HostYield::none;  // while such a yield goes up
  const Request* awaited = nullptr;        // of HostYield::waits: the request, where it is one alone

  // What stands here of a run and its mail; nothing of them remains. A run's end calls it.
  void forget_run() noexcept {
    facts = nullptr;
    gathering = nullptr;
    rule = nullptr;
    mail = nullptr;
    allowance = nullptr;
    notes = nullptr;
    run = 0;
    changes = nullptr;
    waiting = nullptr;
  }

  // By the rule's address; of rules of this set only.
  RuleLines& lines_of(const Rule& of_rule) { return lines[&of_rule]; }
  std::map<const Rule*, RuleLines> lines;

  static Context& of(lua_State* L) { return **static_cast<Context**>(lua_getextraspace(L)); }
  // Makes `L` point to this Context. To be called on a new state before it creates any thread: new threads copy the
  // pointer.
  void attach(lua_State* L) { *static_cast<Context**>(lua_getextraspace(L)) = this; }
};

}  // namespace sallyport::lua
