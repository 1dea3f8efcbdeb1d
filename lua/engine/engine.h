// Engine: one Lua state with everything that its runs share. RuleSet makes it and fills it while loading; Run executes
// rules in it. One system thread uses it at a time.
//
// The local variables of the rule files exist once. While a run executes they have the run's values; `installed` says
// whose they are. Between runs they have the values from the end of loading.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "lua/engine/context.h"
#include "lua/engine/fixed_text.h"
#include "lua/engine/loading.h"
#include "lua/engine/settings.h"

namespace sallyport::lua {

class Run;

class Engine {
 public:
  explicit Engine(const RuleSettings& settings);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  // To be called once, when loading is over: from now on garbage is collected between runs only.
  void settle();
  // Does a share of a collection, in steps of some microseconds; `octets_used` is by how much the state has just grown.
  void collect_garbage(std::uint64_t octets_used);
  // Does so many steps. True: they have completed a collection.
  bool collect(std::uint64_t steps);
  std::uint64_t octets_in_use() const { return context.meter.octets_in_use(); }
  // Octets by which the state has grown since loading, garbage included.
  std::uint64_t octets_of_runs() const;

  // A Lua thread for a run, and the reference to it in the registry.
  struct Thread {
    lua_State* L = nullptr;
    int reference = no_reference;
  };
  Thread take_thread();
  // Takes back a thread, which is as good as new.
  void keep_thread(Thread thread);
  void drop_thread(Thread thread);

  const RuleSettings settings;
  Context context;
  lua_State* const L;
  int globals = no_reference;
  std::vector<RuleFile> files;
  FixedText fixed_text;  // of these files
  std::unique_ptr<Loading> loading;

  Run* installed = nullptr;    // the run whose values the files' variables have; null: those of the loading
  std::uint64_t runs = 0;      // begun so far; the number of the last one
  std::size_t unfinished = 0;  // runs that wait or pause

 private:
  std::vector<Thread> spare_threads_;  // of runs that ended well, to be used again
  std::uint64_t octets_settled_ = 0;
  std::uint64_t octets_alive_ = 0;
  bool collecting_ = false;
};

}  // namespace sallyport::lua
