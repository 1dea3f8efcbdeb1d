// MemoryWire: one direction of a connection in memory, with the faults that a test sets.
//
// Octets that were sent are first in transit, which stands for the kernels' buffers (the writer may be 64 KiB ahead).
// From there they move to the reader's block (at most 16 KiB unconsumed, as in every Stream). They move at once,
// whether or not a coroutine waits in fill(), as on a socket that is always read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/async/nursery.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/wait.h"
#include "gateway/base/units.h"
#include "gateway/io/error.h"

namespace sallyport::support {

// The faults of one direction. Octets are counted from the start of the connection.
struct Faults {
  struct Failure {
    std::uint64_t after_octets = 0;
    // `reset` breaks both directions of the connection. Any other error breaks this direction only, for its reader and
    // its writer; `closed` looks like a proper end, with the octets in transit lost.
    io::Error error = io::Error::reset;
  };

  // Octets arrive in pieces of at most piece_octets (0: as they were sent), with piece_delay before each. A coroutine
  // that a piece wakes runs before the next piece arrives.
  std::size_t piece_octets = 0;
  Duration piece_delay{};
  // After so many octets nothing arrives any more, and neither side gets an error, as when the network is gone.
  std::optional<std::uint64_t> stall_after;
  // read_fails: after so many octets have arrived. write_fails: after so many octets have been sent.
  std::optional<Failure> read_fails;
  std::optional<Failure> write_fails;
  // How many octets may be in transit.
  std::size_t transit_octets = 64 * 1024;
};

class MemoryWire {
 public:
  explicit MemoryWire(async::Scheduler& scheduler)
      : scheduler_(scheduler), news_(scheduler), room_(scheduler), work_(scheduler), deliverer_(scheduler) {}

  // Sets the other direction of the same connection; a reset breaks both.
  void set_opposite(MemoryWire& opposite) { opposite_ = &opposite; }
  void set_faults(Faults faults);

  // -- the sending side ---------------------------------------------------------------------------------------------
  // Sends as much as there is room for; returns how many octets.
  std::size_t send(std::string_view octets);
  // Sends everything, without a limit, for a test that plays the peer.
  void send_all(std::string_view octets);
  // Ends the direction: the reader sees the end after the octets in transit.
  void end();
  std::optional<io::Error> write_error() const { return write_error_; }
  async::Signal& room() { return room_; }

  // -- the receiving side -------------------------------------------------------------------------------------------
  std::string_view arrived() const { return std::string_view(block_).substr(consumed_); }
  void consume(std::size_t octets);
  // Moves the arrived octets to new memory, so that a view kept across a fill() points to freed memory and a sanitizer
  // reports its use.
  void move_block();
  // Takes everything that was sent, beyond the block's limit, for a test that plays the reader.
  std::string take_all();
  // The reason why no more octets will arrive; nothing while some may.
  std::optional<io::Error> read_error() const;
  async::Signal& news() { return news_; }

  // -- both ---------------------------------------------------------------------------------------------------------
  // Breaks this direction: octets in transit are lost, octets that have arrived stay.
  void fail(io::Error error);
  // The receiver has closed: the writer's next send gets a reset.
  void refuse_more();
  bool was_reset() const { return broken_ == io::Error::reset; }
  std::uint64_t octets_sent() const { return sent_; }
  std::uint64_t octets_arrived() const { return arrived_; }

 private:
  // True if a coroutine must deliver the octets, in pieces or with a delay.
  bool is_slow() const { return faults_.piece_octets > 0 || faults_.piece_delay > Duration::zero(); }
  void deliver();  // everything that there is room for
  void deliver_piece(std::size_t most);
  void fail_when_due();
  std::size_t deliverable() const;
  Task<void> deliver_slowly();

  async::Scheduler& scheduler_;
  MemoryWire* opposite_ = nullptr;
  Faults faults_;
  std::string in_transit_;
  std::string block_;
  std::size_t consumed_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t arrived_ = 0;
  bool ended_ = false;
  std::optional<io::Error> broken_;
  std::optional<io::Error> write_error_;
  async::Signal news_;  // wakes the reader
  async::Signal room_;  // wakes the writer
  async::Signal work_;  // wakes deliver_slowly()
  async::Nursery deliverer_;
};

}  // namespace sallyport::support
