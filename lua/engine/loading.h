// Loading: the one time that rule files run as a whole. It executes them, serves their `require`, and collects what
// they declare with sp.rule, and everything that is wrong with them.
//
// One file that does not load does not keep the others from being looked at: all errors come out in one run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lua/engine/lua_api.h"
#include "lua/engine/rule.h"
#include "lua/engine/settings.h"
#include "lua/engine/source_check.h"

namespace sallyport::lua {

// A file of the rule path.
struct RuleFile {
  enum class State { unread, running, loaded, failed };

  std::string name;  // "spam.lua"
  std::string source;
  State state = State::unread;
  bool told = false;                   // of a failed one: why is among the errors
  int chunk = no_reference;            // the file as a function; its first upvalue is _ENV
  int environment = no_reference;      // the globals it had while it loaded
  int run_environment = no_reference;  // metatable of the globals of a run
  int module = no_reference;           // what it returned, for `require`
};

class Loading {
 public:
  // The rule path's files in order of their names; what cannot be read is an error.
  Loading(lua_State* L, const RuleSettings& settings);
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;
  ~Loading();

  // Executes all files. `globals` is a reference to what they all see.
  void run(int globals);
  // Freezes what the files have made and finds what a run may change. To be called within a protected call.
  void finish();

  std::vector<LoadError>& errors() { return errors_; }
  std::vector<Rule>& rules() { return rules_; }
  std::vector<RuleFile>& files() { return files_; }

  // sp.rule{...}; the table is argument 1.
  void declare(lua_State* L);
  // require(name): pushes the module.
  void require(lua_State* L, std::string_view name);

 private:
  void find_files();
  void read(const std::string& path, const std::string& name);
  void add_error(std::string_view file, int line, std::string message, int column = 0);
  void add_thrown(lua_State* thread, const RuleFile& file, bool yielded);
  bool compile(lua_State* L, RuleFile& file);
  void execute(RuleFile& file);
  void tell_of_hidden_failures();
  void freeze_file(RuleFile& file, std::size_t index);

  lua_State* L_;
  const RuleSettings& settings_;
  int globals_ = no_reference;
  std::vector<RuleFile> files_;
  std::vector<Rule> rules_;
  std::vector<LoadError> errors_;
  std::vector<std::size_t> running_;  // files being executed, the innermost last
};

}  // namespace sallyport::lua
