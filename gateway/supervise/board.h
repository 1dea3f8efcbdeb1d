// Board: memory that a serving process shares with its supervisor. Each of its loops notes there that it still turns
// (threats.md R13).
//
// Times are those of the monotonic clock, which all processes of the machine share. Any thread may write and read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "gateway/base/descriptor.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"

namespace sallyport::supervise {

class Board {
 public:
  // Loops beyond this number are not watched.
  static constexpr std::size_t most_loops = 512;

  // Memory that nobody else has yet. Its descriptor may be handed to one other process.
  static Result<Board> make();
  // What another process has made.
  static Result<Board> open(Descriptor memory);

  Board(Board&& other) noexcept;
  Board& operator=(Board&&) = delete;
  ~Board();

  const Descriptor& descriptor() const { return memory_; }

  // The loop with this number turns; it is watched from its first beat on.
  void beat(std::size_t loop, Time now) noexcept;
  // Its last beat, or nothing before the first.
  std::optional<Time> last_beat(std::size_t loop) const noexcept;
  // The loop has ended, and is watched no more.
  void forget(std::size_t loop) noexcept;

 private:
  struct Contents {
    std::array<std::atomic<std::int64_t>, most_loops> beats;  // nanoseconds; 0: none
  };
  Board(Descriptor memory, Contents* contents) : memory_(std::move(memory)), contents_(contents) {}

  Descriptor memory_;
  Contents* contents_;
};

}  // namespace sallyport::supervise
