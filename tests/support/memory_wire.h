// MemoryWire: one direction of a connection in memory, and what may go wrong on it.
//
// Octets that were sent are in transit (the kernels' buffers: the writer may be 64 KiB ahead) until they arrive in the
// reader's block (16 KiB that nobody has consumed, as in every Stream). They arrive at once and in the background,
// whether or not somebody waits in fill(), as on a socket that is always being read.
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

// What the test wants to go wrong in one direction. Octets are counted from the start of the connection.
struct Faults {
  struct Failure {
    std::uint64_t after_octets = 0;
    // reset: the whole connection breaks. Anything else is told to both sides of this direction only: `closed` looks
    // like an end in order with the rest lost.
    io::Error error = io::Error::reset;
  };

  // Octets arrive in pieces of at most so many; 0: as they were sent. Between two pieces whoever was woken by the first
  // may run, and `piece_delay` passes before each.
  std::size_t piece_octets = 0;
  Duration piece_delay{};
  // After so many octets nothing arrives any more and nobody is told: the network is gone.
  std::optional<std::uint64_t> stall_after;
  // The reader fails when so many octets have arrived, the writer when so many have been sent.
  std::optional<Failure> read_fails;
  std::optional<Failure> write_fails;
  // How far the writer may be ahead of the reader's block.
  std::size_t transit_octets = 64 * 1024;
};

class MemoryWire {
 public:
  explicit MemoryWire(async::Scheduler& scheduler)
      : scheduler_(scheduler), news_(scheduler), room_(scheduler), work_(scheduler), deliverer_(scheduler) {}

  // The other direction of the same connection: a reset breaks both.
  void set_opposite(MemoryWire& opposite) { opposite_ = &opposite; }
  void set_faults(Faults faults);

  // -- the sending side ---------------------------------------------------------------------------------------------
  // Takes what there is room for and says how much.
  std::size_t send(std::string_view octets);
  // Takes everything, however much: for a test that is its own network.
  void send_all(std::string_view octets);
  // Nothing more will be sent; the reader sees the end after what is in transit.
  void end();
  std::optional<io::Error> write_error() const { return write_error_; }
  async::Signal& room() { return room_; }

  // -- the receiving side -------------------------------------------------------------------------------------------
  std::string_view arrived() const { return std::string_view(block_).substr(consumed_); }
  void consume(std::size_t octets);
  // Moves what arrived to a new place, so that a view kept across a fill() is one into freed memory and found out.
  void move_block();
  // Everything that was sent, past the bounds of the block: for a test that is its own reader.
  std::string take_all();
  // Why nothing more will arrive, once everything that will has.
  std::optional<io::Error> read_error() const;
  async::Signal& news() { return news_; }

  // -- both ---------------------------------------------------------------------------------------------------------
  // Breaks this direction: what is in transit is lost, what has arrived stays.
  void fail(io::Error error);
  // The receiver is gone: what is sent from now on meets a reset.
  void refuse_more();
  bool was_reset() const { return broken_ == io::Error::reset; }
  std::uint64_t octets_sent() const { return sent_; }
  std::uint64_t octets_arrived() const { return arrived_; }

 private:
  // Whether octets need the delivering coroutine: they come in pieces or late.
  bool is_slow() const { return faults_.piece_octets > 0 || faults_.piece_delay > Duration::zero(); }
  void deliver();  // all there is room for
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
  async::Signal news_;  // the reader's
  async::Signal room_;  // the writer's
  async::Signal work_;  // the deliverer's
  async::Nursery deliverer_;
};

}  // namespace sallyport::support
