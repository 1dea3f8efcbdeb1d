// RuleSet: all rules of a rule path, loaded once, ready to be run on mail after mail.
//
// One per worker, with a Lua state of its own; not to be shared between threads. Every run starts from what the rules
// were when they had been loaded: globals are new, what the files made is frozen, their locals are put back afterwards.
// So nothing of one mail is there for the next (threats.md L6, I13). Memory that a run leaves behind is collected in
// small steps between runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/result.h"
#include "lua/engine/rule.h"
#include "lua/engine/settings.h"
#include "lua/engine/source_check.h"
#include "policies/api/facts.h"
#include "policies/api/transaction.h"

struct lua_State;

namespace sallyport::lua {

// How a run ended.
struct RunResult {
  enum class Kind : std::uint8_t {
    silent,   // the rule had nothing to say
    verdict,  // in `fact`
    error,    // a runtime error, or a value that is no verdict
    timeout,
    memory,
  };
  Kind kind = Kind::silent;
  policies::RuleFact fact;  // of a verdict: complete; else only where the trouble was (rule, stage, file, line)
};

class RuleSet {
 public:
  // All *.lua files of settings.path, in order of their names. All errors come at once; there are no rules then, and
  // whoever has older ones keeps them (L9). No path: no rules.
  static Result<std::unique_ptr<RuleSet>, std::vector<LoadError>> load(const RuleSettings& settings);

  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;
  ~RuleSet();

  const std::vector<Rule>& rules() const { return rules_; }
  // Runs one of rules(), whatever its mode. It takes no longer and no more than the settings' budget, and does not
  // throw for anything the rule does.
  RunResult run(const Rule& rule, const policies::Transaction& mail, const policies::Facts& facts);

  // What the Lua state holds now, garbage included; for tests and metrics.
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
