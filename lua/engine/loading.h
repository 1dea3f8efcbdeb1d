// Loading: reads the files of the rule path and executes each once. It serves their `require`, and collects the rules
// that they declare with sp.rule and every error in them.
//
// A file that fails does not stop the others from being checked, so one attempt reports all errors. RuleSet::load
// creates it, on the thread that loads, and drops it when loading is over.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lua/engine/lua_api.h"
#include "lua/engine/rule.h"
#include "lua/engine/settings.h"
#include "lua/engine/source_check.h"

namespace sallyport::lua {

// One file of the rule path.
struct RuleFile {
  enum class State { unread, running, loaded, failed };

  std::string name;  // without the directory: "spam.lua"; of a shipped one "shipped/external_tag.lua"
  std::string source;
  State state = State::unread;
  bool told = false;                   // the reason of its failure is among Loading::errors()
  int chunk = no_reference;            // reference to the compiled file; its first upvalue is _ENV
  int environment = no_reference;      // reference to its globals while it loaded
  int run_environment = no_reference;  // reference to the metatable for the globals of each run
  int module = no_reference;           // reference to the value it returned, for `require`
};

// True for a name that files of rules have: "*.lua", but not "*_test.lua", which are their tests.
inline bool is_rule_file(std::string_view name) { return name.ends_with(".lua") && !name.ends_with("_test.lua"); }

class Loading {
 public:
  // Reads the *.lua files of settings.path, sorted by name, and after them the shipped ones that settings.shipped
  // names. A file or directory that cannot be read becomes an error in errors(). Both arguments must outlive this
  // object.
  Loading(lua_State* L, const RuleSettings& settings);
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;
  ~Loading();

  // Executes all files. `globals` is a registry reference to the table of globals that all files share.
  void run(int globals);
  // Freezes the tables that the files have made, and finds the upvalues that each rule's runs may change. To be called
  // only when errors() is empty, and inside a protected call: Lua errors may be raised.
  void finish();

  const RuleSettings& settings() const { return settings_; }
  std::vector<LoadError>& errors() { return errors_; }
  std::vector<UnusedSetting>& unused() { return unused_; }
  std::vector<Rule>& rules() { return rules_; }
  std::vector<RuleFile>& files() { return files_; }

  // The entries of policy.rules.lists.NAME; null: there is no such list. The name counts as one that rules read.
  const std::vector<std::string>* read_list(const std::string& name);
  // Implements sp.rule{...}; the table is argument 1. What is wrong with it is added to errors().
  void declare(lua_State* L);
  // Implements require(name) while files load: executes the file if that has not happened yet, and pushes its value. An
  // unknown name, a circle or a failed file raises a Lua error.
  void require(lua_State* L, std::string_view name);

 private:
  void find_files();
  void find_shipped();
  void find_unused();
  void read(const std::string& path, const std::string& name);
  void add_error(std::string_view file, int line, std::string message, int column = 0);
  void add_thrown(lua_State* thread, const RuleFile& file, bool yielded);
  bool compile(lua_State* L, RuleFile& file);
  void execute(RuleFile& file);
  void tell_of_hidden_failures();
  void freeze_file(RuleFile& file, std::size_t index);
  bool can_refuse(std::size_t index) const;
  void set_modes();

  lua_State* L_;
  const RuleSettings& settings_;
  int globals_ = no_reference;
  std::vector<RuleFile> files_;
  std::vector<Rule> rules_;
  std::vector<LoadError> errors_;
  std::vector<UnusedSetting> unused_;
  std::set<std::string> lists_read_;  // also those that are not there
  std::vector<std::size_t> running_;  // indices of the files being executed, the innermost last
};

}  // namespace sallyport::lua
