// MemoryStream: a connected pair of io::Streams in memory; and MemoryPeer, with which plain test code plays the other
// end of a stream without coroutines.
//
// They keep every promise of io::Stream: at most one block of unconsumed input, a writer that waits when the other side
// does not read, and waits that end when the stream does. Faults are set for each direction (Faults in memory_wire.h).
// A stream destroyed without close() is closed. A write whose coroutine is destroyed while it waits resets the
// connection, as on a real socket. Either end may be destroyed first, but both before the scheduler.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/io/stream.h"
#include "tests/support/memory_wire.h"

namespace sallyport::support {

struct MemoryConnection {
  explicit MemoryConnection(async::Scheduler& scheduler) : first_to_second(scheduler), second_to_first(scheduler) {
    first_to_second.set_opposite(second_to_first);
    second_to_first.set_opposite(first_to_second);
  }
  MemoryWire first_to_second;
  MemoryWire second_to_first;
};

class MemoryStream final : public io::Stream {
 public:
  MemoryStream(std::shared_ptr<MemoryConnection> connection, MemoryWire& incoming, MemoryWire& outgoing)
      : connection_(std::move(connection)), incoming_(incoming), outgoing_(outgoing) {}
  MemoryStream(const MemoryStream&) = delete;
  MemoryStream& operator=(const MemoryStream&) = delete;
  ~MemoryStream() override { MemoryStream::close(); }

  std::string_view input() const override;
  void consume(std::size_t octets) override;
  Task<Result<Done, io::Error>> fill(Time deadline) override;
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override;
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time deadline) override;
  // As a kernel sees it: what is in the other end's block has reached it, whether or not it was consumed.
  bool has_undelivered() const override { return outgoing_.octets_arrived() < outgoing_.octets_sent(); }
  bool is_open() const override { return !closed_ && !incoming_.read_error() && !outgoing_.write_error(); }
  bool is_broken() const override {
    const auto ended = incoming_.read_error();
    return closed_ || outgoing_.write_error() || (ended && *ended != io::Error::closed);
  }
  void close() override;
  void abort() override;

  // Set the faults for octets that travel to this end, and from it.
  void set_read_faults(Faults faults) { incoming_.set_faults(std::move(faults)); }
  void set_write_faults(Faults faults) { outgoing_.set_faults(std::move(faults)); }
  // How often write() or write_parts() was called; each would be one system call.
  std::size_t write_calls() const { return write_calls_; }

 private:
  class PendingWrite;
  Task<Result<Done, io::Error>> send(std::string_view octets, Time deadline);

  std::shared_ptr<MemoryConnection> connection_;
  MemoryWire& incoming_;
  MemoryWire& outgoing_;
  mutable std::size_t seen_octets_ = 0;  // length of input() when it was last called
  bool closed_ = false;
  std::size_t write_calls_ = 0;
};

// The test's end of a connection: plain code sends and receives raw octets.
class MemoryPeer {
 public:
  MemoryPeer(std::shared_ptr<MemoryConnection> connection, MemoryWire& incoming, MemoryWire& outgoing)
      : connection_(std::move(connection)), incoming_(&incoming), outgoing_(&outgoing) {}

  void send(std::string_view octets) { outgoing_->send_all(octets); }
  // Ends the test's direction (FIN); the stream may still send.
  void end() { outgoing_->end(); }
  void reset() { outgoing_->fail(io::Error::reset); }
  // Everything that the stream has written since the last call.
  std::string received() { return incoming_->take_all(); }
  // saw_end(): the stream was closed and everything it wrote was received. saw_reset(): either side reset the
  // connection.
  bool saw_end() const { return incoming_->read_error() == io::Error::closed; }
  bool saw_reset() const { return incoming_->was_reset(); }

  // Set the faults for octets that travel to the stream, and from it.
  void set_send_faults(Faults faults) { outgoing_->set_faults(std::move(faults)); }
  void set_receive_faults(Faults faults) { incoming_->set_faults(std::move(faults)); }

 private:
  std::shared_ptr<MemoryConnection> connection_;
  MemoryWire* incoming_;
  MemoryWire* outgoing_;
};

// Two connected streams.
std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> memory_streams(async::Scheduler& scheduler);
// One stream, and the test's end of it.
std::pair<std::unique_ptr<MemoryStream>, MemoryPeer> memory_stream_and_peer(async::Scheduler& scheduler);

}  // namespace sallyport::support
