// WatcherRoom: memory for a loop's table of watched descriptors, had before it is needed.
//
// libuv keeps what it watches in a table with a place for each descriptor's number, and makes the table larger when a
// higher number comes. If there is no memory for that at that moment, it ends the process by abort(), without a word
// (uv__io_start() has no way to fail). Here the memory is asked for before libuv is given the descriptor, where a lack
// of it can still be the end of one connection; it is kept, and libuv has it when realloc() fails.
//
// For that, libuv allocates through functions of ours, which otherwise are those of the C library.
#pragma once

#include <cstddef>

struct uv_loop_s;

namespace sallyport::uv {

class WatcherRoom {
 public:
  using Reallocate = void* (*)(void* block, std::size_t octets);

  // Once, before the first loop of the process is made; further calls do nothing.
  static void serve_libuv() noexcept;

  // For a loop that is initialised, and outlives this object.
  explicit WatcherRoom(uv_loop_s& loop) noexcept;
  WatcherRoom(const WatcherRoom&) = delete;
  WatcherRoom& operator=(const WatcherRoom&) = delete;
  ~WatcherRoom();

  // On the loop's thread, before libuv is given the descriptor to watch. False: there is no memory for it, and it must
  // not be watched.
  bool make_for(int descriptor) noexcept;

  // What libuv's realloc is, on any thread: that of the system, or what is kept for this table when the system gives
  // nothing. Null when that is not enough, too; `block` is left as it is then.
  static void* reallocate(void* block, std::size_t octets, Reallocate system) noexcept;

 private:
  void* take_kept(std::size_t octets) noexcept;

  uv_loop_s& loop_;
  void* kept_ = nullptr;
  std::size_t kept_octets_ = 0;
  WatcherRoom* next_ = nullptr;  // of all of them, under their mutex, as is kept_
};

}  // namespace sallyport::uv
