#include "lua/engine/engine.h"

#include <algorithm>
#include <new>

#include "gateway/base/ensure.h"

namespace sallyport::lua {

namespace {

// A collection begins when the garbage exceeds the octets that survived the last collection plus least_garbage_octets.
// It then does one step after each run, and one more for every octets_per_step that the run has used.
constexpr std::uint64_t least_garbage_octets = 1u << 20;
constexpr std::uint64_t octets_per_step = 64u << 10;
constexpr int step_size_log2 = 10;  // a step takes about ten microseconds
constexpr std::size_t most_spare_threads = 16;
// How many times the memory of one run all unfinished runs together may hold, garbage included.
constexpr std::uint64_t most_runs_worth = 8;

int on_panic(lua_State*) { throw BrokenInvariant("Lua: an error outside of a protected call"); }

}  // namespace

Engine::Engine(const RuleSettings& of_rules) : settings(of_rules), L(lua_newstate(Meter::allocate, &context.meter)) {
  if (!L) throw std::bad_alloc();
  context.attach(L);
  context.settings = &settings;
  lua_atpanic(L, on_panic);
}

Engine::~Engine() { lua_close(L); }

void Engine::settle() {
  lua_gc(L, LUA_GCCOLLECT);
  lua_gc(L, LUA_GCSTOP);
  lua_gc(L, LUA_GCINC, 0, 0, step_size_log2);
  octets_alive_ = octets_settled_ = octets_in_use();
  context.meter.settle(most_runs_worth * settings.memory);
}

std::uint64_t Engine::octets_of_runs() const { return octets_in_use() - std::min(octets_settled_, octets_in_use()); }

void Engine::collect_garbage(std::uint64_t octets_used) {
  if (!collecting_ && octets_in_use() < 2 * octets_alive_ + least_garbage_octets) return;
  collect(1 + octets_used / octets_per_step);
}

bool Engine::collect(std::uint64_t steps) {
  collecting_ = true;
  for (; steps > 0; --steps) {
    if (lua_gc(L, LUA_GCSTEP, 0) == 0) continue;
    collecting_ = false;
    octets_alive_ = octets_in_use();
    return true;
  }
  return false;
}

Engine::Thread Engine::take_thread() {
  if (!spare_threads_.empty()) {
    const Thread thread = spare_threads_.back();
    spare_threads_.pop_back();
    return thread;
  }
  Thread thread;
  thread.L = lua_newthread(L);
  thread.reference = luaL_ref(L, LUA_REGISTRYINDEX);
  return thread;
}

void Engine::keep_thread(Thread thread) {
  if (spare_threads_.size() >= most_spare_threads) return drop_thread(thread);
  spare_threads_.push_back(thread);
}

void Engine::drop_thread(Thread thread) { luaL_unref(L, LUA_REGISTRYINDEX, thread.reference); }

}  // namespace sallyport::lua
