// Meter: what a run of a rule may cost, and the stop that a rule cannot catch (threats.md L1-L4).
//
// Time is CPU time of the thread, read at every check. Checks come from three sides, because each alone leaves a hole:
// - a hook after so many instructions. The larger the largest value in sight, the fewer: one instruction that compares
// two
//   long strings costs more than a thousand that add;
// - the allocator, after so many octets: concatenation makes them without spending instructions;
// - spend(), which our own library functions call for every step of theirs.
//
// A breach is remembered. From then on the hook comes at every instruction and raises again, and everything of ours
// that catches an error (pcall, coroutine.resume ...) raises again too: nothing that runs while the stack unwinds, be
// it a handler or a to-be-closed variable, gets further than its first instruction.
//
// One per lua_State, on one thread. It is the state's allocator and must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gateway/base/units.h"
#include "lua/engine/lua_api.h"

namespace sallyport::lua {

enum class Breach : std::uint8_t { none, time, memory, depth };

// A place in a rule file. `file` belongs to a function of the state, and rules' functions live as long as it does.
struct Place {
  const char* file = "";
  int line = 0;  // 0: not known
};

// Where the innermost Lua function of the thread is.
Place find_place(lua_State* L);

struct Budget {
  Duration cpu;
  std::uint64_t memory_octets;  // more than were in use at the start
  std::uint64_t block_octets;   // of one value: what one instruction costs depends on it
};

class Meter {
 public:
  Meter() = default;
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // A lua_Alloc; `self` is the Meter.
  static void* allocate(void* self, void* block, std::size_t old_octets, std::size_t new_octets);

  // From here on the budget counts, on `thread` and whatever it resumes.
  void start(lua_State* thread, const Budget& budget);
  // Ends the run; the breach and its place stay to be read until the next start.
  void stop();
  // What has been made so far stays in reach of every later run, and so does its largest value.
  void settle() { settled_block_ = largest_block_; }
  // Makes `thread` the one that runs; gives the one that ran before.
  lua_State* switch_to(lua_State* thread);

  // Counts work of our own library functions; a step is about what an instruction costs. Raises at a breach.
  void spend(lua_State* L, std::uint64_t steps) {
    steps_ += steps;
    if (steps_ >= steps_per_check || breach_ != Breach::none) check(L);
  }
  // To be called before putting together a value of so many octets outside of Lua's memory. Raises when no value may
  // have so many; whether there is room for it is found out when Lua gets it.
  void claim(lua_State* L, std::uint64_t octets);
  // To be called with the status of every protected call made for a rule: raises again what may not be caught.
  void pass_on(lua_State* L, int status);

  Breach breach() const { return breach_; }
  Place place() const { return place_; }
  std::uint64_t octets_in_use() const { return in_use_; }

 private:
  static constexpr std::uint64_t steps_per_check = 1000;
  static constexpr std::uint64_t octets_per_check = 256u << 10;

  static void on_count(lua_State* L, lua_Debug*);
  bool permit(const void* block, std::size_t old_octets, std::size_t new_octets);
  bool fits(std::size_t old_octets, std::size_t new_octets) const;
  void check(lua_State* L);
  bool is_out_of_time();
  void note(Breach breach);
  void set_hook(lua_State* thread) const;
  int instructions_per_check() const;

  lua_State* running_ = nullptr;  // nothing is limited without
  Budget budget_{};
  Breach breach_ = Breach::none;
  Place place_;
  std::uint64_t in_use_ = 0;
  std::uint64_t in_use_at_start_ = 0;
  std::uint64_t largest_block_ = 0;
  std::uint64_t settled_block_ = 0;
  std::uint64_t octets_since_check_ = 0;
  std::uint64_t steps_ = 0;
  const void* refused_block_ = nullptr;
  std::size_t refused_octets_ = 0;  // 0: nothing was refused just now
  Time started_{};
  bool cpu_clock_started_ = false;
  Duration cpu_at_start_{};
};

}  // namespace sallyport::lua
