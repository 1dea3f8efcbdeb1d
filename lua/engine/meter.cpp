#include "lua/engine/meter.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "lua/engine/context.h"

namespace sallyport::lua {

namespace {

// With values up to 4 KiB the hook is called every 1000 instructions; with a value of 1 MiB, every 4.
constexpr std::uint64_t instructions_times_octets = 4u << 20;
constexpr int most_instructions_per_check = 1000;
// When memory runs out with calls nested deeper than this, the breach is reported as depth: the calls used the memory.
constexpr int deep_calls = 190;
// The deepest nesting of calls that a run may reach. Unwinding more, each with its variables to be closed, would take
// longer than a run may.
constexpr int deepest_calls = 4000;
constexpr int levels_looked_at = 64;
// A slice without a single check has executed fewer instructions than take this long.
constexpr Duration unchecked_slice = std::chrono::microseconds(50);

}  // namespace

Place find_place(lua_State* L) {
  lua_Debug frame;
  for (int level = 0; level < levels_looked_at && lua_getstack(L, level, &frame); ++level) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.currentline > 0) return {frame.source + 1, frame.currentline};  // past the '@' of a file
  }
  return {};
}

void* Meter::allocate(void* self, void* block, std::size_t old_octets, std::size_t new_octets) {
  auto& meter = *static_cast<Meter*>(self);
  if (!block) old_octets = 0;  // for a new block Lua passes the kind of object here, not a size
  if (new_octets == 0) {
    meter.release(block, old_octets);
    meter.in_use_ -= old_octets;
    return nullptr;
  }
  if (new_octets > old_octets && meter.running_ && !meter.permit(block, old_octets, new_octets)) return nullptr;
  void* moved = block ? meter.move(block, old_octets, new_octets) : meter.take(new_octets);
  // Lua requires that shrinking a block never fails.
  if (!moved) return new_octets <= old_octets ? block : nullptr;
  meter.in_use_ = meter.in_use_ - old_octets + new_octets;
  meter.largest_block_ = std::max<std::uint64_t>(meter.largest_block_, new_octets);
  return moved;
}

void* Meter::take(std::size_t octets) noexcept {
  return octets <= SmallBlocks::most_octets ? small_blocks_.take(octets) : std::malloc(octets);
}

void Meter::release(void* block, std::size_t octets) noexcept {
  if (block == nullptr || octets == 0) return;
  octets <= SmallBlocks::most_octets ? small_blocks_.give(block, octets) : std::free(block);
}

// As realloc().
void* Meter::move(void* block, std::size_t old_octets, std::size_t new_octets) noexcept {
  if (old_octets > SmallBlocks::most_octets && new_octets > SmallBlocks::most_octets)
    return std::realloc(block, new_octets);
  void* moved = take(new_octets);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(old_octets, new_octets));
  release(block, old_octets);
  return moved;
}

// When the allocator refuses, Lua runs a full collection and asks once more for the same size. Only the second refusal
// is a breach: a rule may produce more garbage than its budget, but not hold more.
bool Meter::permit(const void* block, std::size_t old_octets, std::size_t new_octets) {
  const bool asked_again = refused_octets_ == new_octets && refused_block_ == block;
  const bool gave_up = refused_octets_ > 0 && !asked_again;
  refused_octets_ = 0;
  if (gave_up) note(Breach::memory);
  if (!fits(old_octets, new_octets)) {
    lua_Debug frame;
    if (asked_again) {
      note(lua_getstack(running_, deep_calls, &frame) ? Breach::depth : Breach::memory);
    } else {
      refused_block_ = block;
      refused_octets_ = new_octets;
    }
    return false;
  }

  octets_since_check_ += new_octets - old_octets;
  if (asked_again || octets_since_check_ >= octets_per_check) {
    octets_since_check_ = 0;
    if (is_out_of_time()) note(Breach::time);  // the next instruction raises it
  }
  if (new_octets > largest_block_) {
    largest_block_ = new_octets;
    set_hook(running_);
  }
  return true;
}

bool Meter::fits(std::size_t old_octets, std::size_t new_octets) const {
  const std::uint64_t then = in_use_ + (new_octets - old_octets);
  const auto of_run = static_cast<std::int64_t>(then) - in_use_before_;
  return new_octets <= budget_.block_octets && then <= most_in_use_ &&
         (of_run < 0 || static_cast<std::uint64_t>(of_run) <= budget_.memory_octets);
}

void Meter::start(lua_State* thread, const Budget& budget, const Used& used) {
  budget_ = budget;
  used_ = used;
  breach_ = Breach::none;
  place_ = {};
  in_use_before_ = static_cast<std::int64_t>(in_use_) - used.octets;
  largest_block_ = std::max(settled_block_, used.largest_block);
  octets_since_check_ = used.octets_since_check;
  steps_ = used.steps;
  refused_octets_ = 0;
  started_ = clocks_.now();
  elapsed_ = Duration::zero();
  cpu_clock_started_ = used.cpu > Duration::zero();
  if (cpu_clock_started_) cpu_at_start_ = clocks_.cpu();
  switch_to(thread);
}

Used Meter::stop() {
  if (refused_octets_ > 0 && breach_ == Breach::none) note(Breach::memory);
  refused_octets_ = 0;
  running_ = nullptr;
  // A collection may have freed what other runs have left behind; that gives this one no more room.
  const std::int64_t held = std::max<std::int64_t>(static_cast<std::int64_t>(in_use_) - in_use_before_, 0);
  return {used_.cpu + slice_cpu(), held, largest_block_, octets_since_check_, steps_, breach_, place_};
}

Duration Meter::slice_cpu() const {
  if (cpu_clock_started_) return clocks_.cpu() - cpu_at_start_;
  const Duration elapsed = clocks_.now() - started_;
  return std::min(elapsed, unchecked_slice);
}

lua_State* Meter::switch_to(lua_State* thread) {
  lua_State* before = running_;
  running_ = thread;
  set_hook(thread);
  return before;
}

void Meter::claim(lua_State* L, std::uint64_t octets) {
  if (octets > budget_.block_octets) note(Breach::memory);
  if (breach_ != Breach::none) check(L);
}

void Meter::pass_on(lua_State* L, int status) {
  if (status == LUA_ERRMEM) note(Breach::memory);
  if (breach_ != Breach::none) check(L);
}

// A hook may yield, without values: Lua goes on with the same instruction when the thread is resumed.
void Meter::on_count(lua_State* L, lua_Debug*) {
  Context& context = Context::of(L);
  context.meter.check(L);
  if (!context.meter.is_time_to_pause() || !context.can_yield || !lua_isyieldable(L)) return;
  context.host_yield = HostYield::pauses;
  lua_yield(L, 0);
}

void Meter::check(lua_State* L) {
  steps_ = 0;
  if (breach_ == Breach::none && is_out_of_time()) note(Breach::time);
  lua_Debug frame;
  if (breach_ == Breach::none && lua_getstack(L, deepest_calls, &frame)) note(Breach::depth);
  if (breach_ == Breach::none) return;
  // lua_sethook() walks through all calls, and thousands of calls may be unwinding one after another; so it is called
  // only when the count differs.
  if (lua_gethookcount(L) != 1) set_hook(L);
  lua_pushliteral(L, "the rule has used up its budget");
  lua_error(L);
}

// Reading the monotonic clock costs a tenth of reading the thread's CPU clock. So start() reads only the monotonic
// clock for a run's first slice, and most rules end before their first check. The first check reads the CPU clock too,
// and counts the time elapsed since start() as CPU time used. The rule may have waited for the processor meanwhile, so
// that at most half of the budget is counted, and this once only: were it so in each slice, a busy machine would leave
// a rule that has many of them next to nothing.
bool Meter::is_out_of_time() {
  const Duration left = budget_.cpu - used_.cpu;
  elapsed_ = clocks_.now() - started_;
  if (!cpu_clock_started_) {
    cpu_clock_started_ = true;
    cpu_at_start_ = clocks_.cpu() - std::min(elapsed_, left / 2);
  }
  return elapsed_ >= left && clocks_.cpu() - cpu_at_start_ >= left;
}

void Meter::note(Breach breach) {
  if (breach_ != Breach::none) return;
  breach_ = breach;
  place_ = find_place(running_);
  set_hook(running_);
}

void Meter::set_hook(lua_State* thread) const {
  lua_sethook(thread, on_count, LUA_MASKCOUNT, instructions_per_check());
}

int Meter::instructions_per_check() const {
  if (breach_ != Breach::none) return 1;
  const std::uint64_t instructions = instructions_times_octets / std::max<std::uint64_t>(largest_block_, 1);
  return static_cast<int>(std::clamp<std::uint64_t>(instructions, 1, most_instructions_per_check));
}

}  // namespace sallyport::lua
