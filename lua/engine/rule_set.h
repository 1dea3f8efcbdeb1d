// RuleSet: all rules of a rule path, loaded once and then run on one mail after another.
//
// Each worker has its own RuleSet with its own Lua state. It may be loaded on another thread, but only the worker's
// thread runs its rules. Every run starts from the state the rules had when loading ended: globals are new, tables that
// the files made are frozen (frozen.h), and the files' local variables are restored after each run. So a rule can leave
// nothing of one mail for the next (threats.md L6, I13). Garbage of a run is collected in small steps between runs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "lua/engine/facts.h"
#include "lua/engine/rule.h"
#include "lua/engine/settings.h"
#include "lua/engine/source_check.h"
#include "policies/api/facts.h"
#include "policies/api/transaction.h"

struct lua_State;

namespace sallyport::lua {

// How the run of one rule ended.
struct RunResult {
  enum class Kind : std::uint8_t {
    silent,   // it returned nil, false or nothing
    verdict,  // it returned true or a verdict; see `fact`
    error,    // a runtime error, or it returned something that is not a verdict
    timeout,
    memory,
  };
  Kind kind = Kind::silent;
  RuleFact fact;  // complete for a verdict; else only rule, stage, shadow, and where it failed (file, line)
};

class RuleSet {
 public:
  // Loads all *.lua files of settings.path, sorted by name. Returns either the rules or every error found; the caller
  // then keeps the RuleSet that it already has (threats.md L9). An empty path gives a set without rules.
  // `checks` are the names that sp.accept{ skip = } may name; none: any.
  static Result<std::unique_ptr<RuleSet>, std::vector<LoadError>> load(const RuleSettings& settings,
                                                                       std::span<const std::string_view> checks = {});

  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;
  ~RuleSet();

  const std::vector<Rule>& rules() const { return rules_; }
  // Runs `rule`, which must be one of rules(), in whatever mode it is. The run ends within the budget of the settings
  // (CPU time and memory), and does not throw whatever the rule does. Does not wait.
  RunResult run(const Rule& rule, const policies::Transaction& mail, const policies::Facts& facts);

  // Octets that the Lua state holds now, garbage included; for tests and metrics.
  std::uint64_t octets_in_use() const;

 private:
  struct State;
  struct Run;

  explicit RuleSet(const RuleSettings& settings);
  static int set_up(lua_State* L);
  static int load_files(lua_State* L);
  static int run_protected(lua_State* L);
  lua_State* take_thread(lua_State* L);
  void read_result(lua_State* thread, int results, Run& run) const;
  void read_failure(lua_State* thread, int status, Run& run) const;
  void collect_garbage(std::uint64_t octets_used);

  RuleSettings settings_;
  std::unique_ptr<State> state_;
  std::vector<Rule> rules_;
};

}  // namespace sallyport::lua
