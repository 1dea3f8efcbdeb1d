// Context: what the C++ functions that rules call need to know of the Lua state they run in. Each RuleSet has one;
// every thread (coroutine) of its state points to it, and `Context::of` finds it. Used by one system thread at a time,
// as the RuleSet is.
#pragma once

#include <cstdint>
#include <optional>

#include "lua/engine/known_checks.h"
#include "lua/engine/meter.h"
#include "policies/api/facts.h"

namespace sallyport::lua {

class Loading;

struct Context {
  Meter meter;
  KnownChecks checks;
  Loading* loading = nullptr;                  // set while rule files load, else null
  const policies::Facts* facts = nullptr;      // of the mail that the current run judges
  std::optional<policies::Findings> findings;  // facts->tell(), computed when a run first asks
  std::uint64_t run = 0;                       // number of the current run; a value from an earlier run is stale
  std::uint64_t patterns_left = 0;             // how many sp.re() patterns this run may still compile
  unsigned closing_coroutines = 0;             // depth of coroutine.close() calls inside __close handlers

  static Context& of(lua_State* L) { return **static_cast<Context**>(lua_getextraspace(L)); }
  // Makes `L` point to this Context. To be called on a new state before it creates any thread: new threads copy the
  // pointer.
  void attach(lua_State* L) { *static_cast<Context**>(lua_getextraspace(L)) = this; }
};

}  // namespace sallyport::lua
