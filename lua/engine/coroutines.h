// Resuming coroutines inside a run, so that the meter knows what executes and the engine's own yields (HostYield) go
// up. Every function of ours that resumes one uses these.
#pragma once

#include <cstdint>

#include "lua/engine/lua_api.h"

namespace sallyport::lua {

struct Resumed {
  enum class How : std::uint8_t {
    returns,     // it has ended; its results are on the stack of the caller
    yields,      // the rule's own yield; the values are there
    error,       // the error is there
    host_yield,  // the caller must yield too, with lua_yieldk, and then call continue_coroutine()
  };
  How how;
  int values;  // how many were left on the stack of the caller
};

// Resumes `coroutine` with the top `arguments` values of L's stack. Raises an error only for a breach of the budget.
Resumed resume_coroutine(lua_State* L, lua_State* coroutine, int arguments);
// Resumes a coroutine that gave host_yield before.
Resumed continue_coroutine(lua_State* L, lua_State* coroutine);

}  // namespace sallyport::lua
