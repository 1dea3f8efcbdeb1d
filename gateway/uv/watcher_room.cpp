#include "gateway/uv/watcher_room.h"

#include <malloc.h>
#include <uv.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

namespace sallyport::uv {

namespace {

std::mutex all_mutex;  // guards `all`, and what each of them keeps
WatcherRoom* all = nullptr;

// libuv adds two places for itself, and takes a power of two in all.
std::size_t octets_for(int descriptor) {
  return std::bit_ceil(static_cast<std::size_t>(descriptor) + 3) * sizeof(void*);
}

void* reallocate_for_libuv(void* block, std::size_t octets) {
  return WatcherRoom::reallocate(block, octets, std::realloc);
}

}  // namespace

void WatcherRoom::serve_libuv() noexcept {
  static const int replaced = uv_replace_allocator(std::malloc, reallocate_for_libuv, std::calloc, std::free);
  static_cast<void>(replaced);
}

WatcherRoom::WatcherRoom(uv_loop_t& loop) noexcept : loop_(loop) {
  const std::lock_guard lock(all_mutex);
  next_ = std::exchange(all, this);
}

WatcherRoom::~WatcherRoom() {
  const std::lock_guard lock(all_mutex);
  WatcherRoom** place = &all;
  while (*place != this) place = &(*place)->next_;
  *place = next_;
  std::free(kept_);
}

bool WatcherRoom::make_for(int descriptor) noexcept {
  if (descriptor < 0 || static_cast<unsigned>(descriptor) < loop_.nwatchers) return true;
  const std::size_t octets = octets_for(descriptor);
  const std::lock_guard lock(all_mutex);
  if (kept_octets_ >= octets) return true;
  void* const larger = std::malloc(octets);
  if (larger == nullptr) return false;
  std::free(std::exchange(kept_, larger));
  kept_octets_ = octets;
  return true;
}

void* WatcherRoom::take_kept(std::size_t octets) noexcept {
  if (kept_octets_ < octets) return nullptr;
  kept_octets_ = 0;
  return std::exchange(kept_, nullptr);
}

void* WatcherRoom::reallocate(void* block, std::size_t octets, Reallocate system) noexcept {
  void* const given = system(block, octets);
  if (given != nullptr || block == nullptr || octets == 0) return given;
  const std::lock_guard lock(all_mutex);
  for (WatcherRoom* room = all; room != nullptr; room = room->next_) {
    if (room->loop_.watchers != block) continue;
    void* const kept = room->take_kept(octets);
    if (kept == nullptr) return nullptr;
    std::memcpy(kept, block, std::min(octets, ::malloc_usable_size(block)));
    std::free(block);
    return kept;
  }
  return nullptr;
}

}  // namespace sallyport::uv
