// MemoryStream: a connected pair of io::Streams without a kernel, and MemoryPeer, which lets a test be the other end
// without coroutines.
//
// They keep every promise of io::Stream: one block of unconsumed input, a writer that waits when the other side does
// not read, waits that end with the stream. What goes wrong is set per direction with set_faults() (memory_wire.h). A
// stream that is destroyed without close() is closed; a write that is given up while it waits resets the connection, as
// on a real one. The streams may outlive each other, but not the scheduler.
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
  bool is_open() const override { return !closed_ && !incoming_.read_error() && !outgoing_.write_error(); }
  void close() override;
  void abort() override;

  // What happens to octets on their way to this end, and from it.
  void set_read_faults(Faults faults) { incoming_.set_faults(std::move(faults)); }
  void set_write_faults(Faults faults) { outgoing_.set_faults(std::move(faults)); }
  // How often something was written: each would have been a system call.
  std::size_t write_calls() const { return write_calls_; }

 private:
  class PendingWrite;
  Task<Result<Done, io::Error>> send(std::string_view octets, Time deadline);

  std::shared_ptr<MemoryConnection> connection_;
  MemoryWire& incoming_;
  MemoryWire& outgoing_;
  mutable std::size_t seen_octets_ = 0;  // the length of input() when it was last looked at
  bool closed_ = false;
  std::size_t write_calls_ = 0;
};

// The test's side of a connection: raw octets in both directions, from plain code.
class MemoryPeer {
 public:
  MemoryPeer(std::shared_ptr<MemoryConnection> connection, MemoryWire& incoming, MemoryWire& outgoing)
      : connection_(std::move(connection)), incoming_(&incoming), outgoing_(&outgoing) {}

  void send(std::string_view octets) { outgoing_->send_all(octets); }
  // Ends our direction (FIN); the other may still send.
  void end() { outgoing_->end(); }
  void reset() { outgoing_->fail(io::Error::reset); }
  // All that the stream has written since the last call.
  std::string received() { return incoming_->take_all(); }
  // The stream was closed (and all it wrote was received), or either side reset the connection.
  bool saw_end() const { return incoming_->read_error() == io::Error::closed; }
  bool saw_reset() const { return incoming_->was_reset(); }

  // What happens to octets on their way to the stream, and from it.
  void set_send_faults(Faults faults) { outgoing_->set_faults(std::move(faults)); }
  void set_receive_faults(Faults faults) { incoming_->set_faults(std::move(faults)); }

 private:
  std::shared_ptr<MemoryConnection> connection_;
  MemoryWire* incoming_;
  MemoryWire* outgoing_;
};

// Two ends that talk to each other.
std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> memory_streams(async::Scheduler& scheduler);
// One end, and the test at the other.
std::pair<std::unique_ptr<MemoryStream>, MemoryPeer> memory_stream_and_peer(async::Scheduler& scheduler);

}  // namespace sallyport::support
