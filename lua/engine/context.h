// Context: what our functions inside Lua need to know of the state they run in. Every thread of a state points to it.
#pragma once

#include <cstdint>

#include "lua/engine/meter.h"
#include "policies/api/facts.h"

namespace sallyport::lua {

class Loading;

struct Context {
  Meter meter;
  Loading* loading = nullptr;              // while rule files load
  const policies::Facts* facts = nullptr;  // of the mail that this run is about
  std::uint64_t run = 0;                   // which run this is: values handed to an earlier one are stale
  std::uint64_t patterns_left = 0;         // that may still be compiled in this run
  unsigned closing_coroutines = 0;         // coroutine.close within __close within coroutine.close ...

  static Context& of(lua_State* L) { return **static_cast<Context**>(lua_getextraspace(L)); }
  // To be called on a new state before it makes any thread.
  void attach(lua_State* L) { *static_cast<Context**>(lua_getextraspace(L)) = this; }
};

}  // namespace sallyport::lua
