// Meter: limits the CPU time, memory and call depth of one run of a rule, and stops the run in a way that the rule
// cannot catch (threats.md L1-L4).
//
// Time is the CPU time of the thread. It is checked from three places, because each alone leaves a gap:
// - a hook that Lua calls after a number of instructions. The larger the largest value of the state, the smaller the
//   number: comparing two long strings is one instruction and costs more than a thousand additions;
// - the allocator, after a number of octets: concatenation makes large strings with few instructions;
// - spend(), which our own library functions call for each of their steps.
//
// The first breach of a limit is remembered until the next start(). After it the hook is called at every instruction
// and raises the error again, and so do our functions that catch errors (pcall, coroutine.resume and others). So code
// that runs while the stack unwinds, such as a handler or a __close metamethod, ends at its first instruction.
//
// A run may execute in several slices: it waits for an answer, or gives the loop away. What it has used is kept with it
// (Used) between them, and start() continues the count; other runs of the same state execute meanwhile.
//
// Each lua_State has one Meter, which is its allocator and must outlive it. One system thread uses both at a time, and
// a run stays on the thread that started it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "gateway/base/cpu_time.h"
#include "gateway/base/units.h"
#include "lua/engine/lua_api.h"
#include "lua/engine/small_blocks.h"

namespace sallyport::lua {

enum class Breach : std::uint8_t { none, time, memory, depth };

// A place in a rule file. `file` points into a function of the state, which lives as long as the state because rules
// keep their functions.
struct Place {
  const char* file = "";
  int line = 0;  // from 1; 0: not known
};

// Finds the line that the innermost Lua function on the thread is executing.
Place find_place(lua_State* L);

struct Budget {
  Duration cpu;                 // of all slices together
  std::uint64_t memory_octets;  // how much a run may make the state grow
  std::uint64_t block_octets;   // largest single value; the cost of one instruction grows with it
  Duration slice{};             // after so long, is_time_to_pause(); zero: never
};

// What a run has used in its slices so far.
struct Used {
  Duration cpu{};
  std::int64_t octets = 0;  // by which it has made the state grow
  std::uint64_t largest_block = 0;
  std::uint64_t octets_since_check = 0;
  std::uint64_t steps = 0;
  Breach breach = Breach::none;
  Place place;
};

// What the meter reads.
struct MeterClocks {
  Time (*now)() = [] { return std::chrono::steady_clock::now(); };
  CpuClock cpu = thread_cpu_time;
};

class Meter {
 public:
  Meter() = default;
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // The allocator function given to lua_newstate(); `self` is the Meter.
  static void* allocate(void* self, void* block, std::size_t old_octets, std::size_t new_octets);

  // Starts a slice of a run: from now on `budget` limits `thread` and every coroutine it resumes. `used` is what stop()
  // gave after the run's slice before. Not to be called for a run that has used up its time, or after a breach.
  void start(lua_State* thread, const Budget& budget, const Used& used = {});
  // Ends the slice. breach() and place() keep their values until the next start().
  Used stop();
  // For tests, before the first start().
  void read(const MeterClocks& clocks) { clocks_ = clocks; }
  // To be called once, after loading: all later runs can reach the values that exist now, so the largest of them counts
  // from the start of each run. From now on the state may not grow by more than `most_octets`, whatever runs there are.
  void settle(std::uint64_t most_octets) {
    settled_block_ = largest_block_;
    most_in_use_ = in_use_ + most_octets;
  }
  // Tells the meter that `thread` runs now; returns the thread that ran before. Called when a coroutine is resumed and
  // when control comes back.
  lua_State* switch_to(lua_State* thread);

  // Counts work of our own library functions; a step costs about as much as one instruction. Raises a Lua error at a
  // breach.
  void spend(lua_State* L, std::uint64_t steps) {
    steps_ += steps;
    if (steps_ >= steps_per_check || breach_ != Breach::none) check(L);
  }
  // To be called before our own code builds a value of `octets` octets outside Lua's memory. Raises a Lua error when
  // the value would exceed block_octets. Whether the memory budget has room is checked when Lua allocates its copy.
  void claim(lua_State* L, std::uint64_t octets);
  // To be called with the status of every protected call made for a rule: raises the error again when it came from a
  // breach.
  void pass_on(lua_State* L, int status);

  // How the time of this slice stands, as of the last check: true when the run should give the loop away.
  bool is_time_to_pause() const {
    return budget_.slice > Duration::zero() && elapsed_ >= budget_.slice && breach_ == Breach::none;
  }

  Breach breach() const { return breach_; }
  Place place() const { return place_; }
  std::uint64_t octets_in_use() const { return in_use_; }

 private:
  static constexpr std::uint64_t steps_per_check = 1000;
  static constexpr std::uint64_t octets_per_check = 256u << 10;

  static void on_count(lua_State* L, lua_Debug*);
  void* take(std::size_t octets) noexcept;
  void* move(void* block, std::size_t old_octets, std::size_t new_octets) noexcept;
  void release(void* block, std::size_t octets) noexcept;
  bool permit(const void* block, std::size_t old_octets, std::size_t new_octets);
  bool fits(std::size_t old_octets, std::size_t new_octets) const;
  void check(lua_State* L);
  bool is_out_of_time();
  Duration slice_cpu() const;
  void note(Breach breach);
  void set_hook(lua_State* thread) const;
  int instructions_per_check() const;

  MeterClocks clocks_;
  SmallBlocks small_blocks_;
  lua_State* running_ = nullptr;  // the thread that runs; null: no run, nothing is limited
  Budget budget_{};
  Breach breach_ = Breach::none;
  Place place_;
  std::uint64_t in_use_ = 0;
  std::uint64_t most_in_use_ = UINT64_MAX;
  std::int64_t in_use_before_ = 0;  // what the state would hold without the run
  std::uint64_t largest_block_ = 0;
  std::uint64_t settled_block_ = 0;
  std::uint64_t octets_since_check_ = 0;
  std::uint64_t steps_ = 0;
  const void* refused_block_ = nullptr;
  std::size_t refused_octets_ = 0;  // 0: the last request was granted
  Used used_;                       // before this slice
  Time started_{};
  Duration elapsed_{};  // since started_, as of the last check
  bool cpu_clock_started_ = false;
  Duration cpu_at_start_{};
};

}  // namespace sallyport::lua
