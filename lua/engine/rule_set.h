// RuleSet: all rules of a rule path, loaded once and then run on one mail after another.
//
// Each worker has its own RuleSet with its own Lua state. It may be loaded on another thread, but only the worker's
// thread runs its rules. Every run starts from the state the rules had when loading ended: globals are new, tables that
// the files made are frozen (frozen.h), and the files' local variables are each run's own (run.h). So a rule can leave
// nothing of one mail for the next (threats.md L6, I13). Garbage of a run is collected in small steps between runs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/public_suffix.h"
#include "gateway/base/result.h"
#include "lua/engine/rule.h"
#include "lua/engine/run_result.h"
#include "lua/engine/services.h"
#include "lua/engine/settings.h"
#include "lua/engine/source_check.h"
#include "policies/api/facts.h"
#include "policies/api/transaction.h"

struct lua_State;

namespace sallyport::lua {

class Engine;
class Run;
struct RunCase;

class RuleSet {
 public:
  // Loads all *.lua files of settings.path, sorted by name. Returns either the rules or every error found; the caller
  // then keeps the RuleSet that it already has (threats.md L9). An empty path gives a set without rules.
  // `checks` are the names that sp.accept{ skip = } and sp.override{ check = } may name, `upstreams` those of
  // sp.redirect; none: any. `services` must outlive the set; null: there are none.
  static Result<std::unique_ptr<RuleSet>, std::vector<LoadError>> load(const RuleSettings& settings,
                                                                       std::span<const std::string_view> checks = {},
                                                                       const RuleServices* services = nullptr,
                                                                       std::vector<std::string> upstreams = {});

  // From now on the rules reach these beyond their mail; null: nothing. Not while a run is unfinished.
  void use(const RuleServices* services);

  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;
  ~RuleSet();

  // What tells the registrable domains of names, so that it need not be read again; it must outlive this object. Not to
  // be called while a run executes.
  void use_suffixes(const PublicSuffixList& suffixes);

  const std::vector<Rule>& rules() const { return rules_; }
  // Of the settings that it was loaded with. No error: a tenant with rules of its own has everybody's settings, too.
  const std::vector<UnusedSetting>& unused_settings() const { return unused_; }
  // A run of `rule`, which must be one of rules(), in whatever mode it is. This object, and what `of` refers to, must
  // outlive the run.
  std::unique_ptr<Run> begin(const Rule& rule, const RunCase& of);
  // Runs `rule` to its end, without waiting: a lookup in it is an error. For tests, and for rules that only load.
  RunResult run(const Rule& rule, const policies::Transaction& mail, const policies::Facts& facts);

  // True if so many runs wait, or hold so much memory, that a rule that is known to wait should not begin now.
  bool is_crowded() const;
  // Does a share of a collection, about half a millisecond. True: one has been completed.
  bool collect_garbage();
  // How many runs wait or pause.
  std::size_t unfinished() const;
  // Octets that the Lua state holds now, garbage included; for tests and metrics.
  std::uint64_t octets_in_use() const;

 private:
  explicit RuleSet(const RuleSettings& settings);
  static int set_up(lua_State* L);
  static int load_files(lua_State* L);

  std::unique_ptr<Engine> engine_;
  std::vector<Rule> rules_;
  std::vector<UnusedSetting> unused_;
};

}  // namespace sallyport::lua
