#include "tests/support/memory_stream.h"

#include <algorithm>

#include "gateway/base/ensure.h"

namespace sallyport::support {

using io::Error;

// Lives in the frame of a write: when the frame is destroyed before the write is done, it aborts the stream, because
// only a part was sent.
class MemoryStream::PendingWrite {
 public:
  explicit PendingWrite(MemoryStream& stream) : stream_(stream) {}
  PendingWrite(const PendingWrite&) = delete;
  PendingWrite& operator=(const PendingWrite&) = delete;
  ~PendingWrite() {
    if (!finished_) stream_.abort();
  }
  void finish() { finished_ = true; }

 private:
  MemoryStream& stream_;
  bool finished_ = false;
};

std::string_view MemoryStream::input() const {
  if (closed_) return {};
  seen_octets_ = incoming_.arrived().size();
  return incoming_.arrived();
}

void MemoryStream::consume(std::size_t octets) {
  if (closed_) return;  // closing has already discarded the input
  incoming_.consume(octets);
  seen_octets_ -= std::min(seen_octets_, octets);
}

Task<Result<Done, Error>> MemoryStream::fill(Time deadline) {
  if (!closed_) incoming_.move_block();
  while (!closed_) {
    if (incoming_.arrived().size() > seen_octets_) co_return Done{};
    ensure(incoming_.arrived().size() < io::block_octets, "MemoryStream: fill() with a full block");
    if (auto error = incoming_.read_error()) co_return *error;
    async::Woken woken = co_await incoming_.news().wait(deadline);
    if (woken == async::Woken::timed_out) co_return Error::timed_out;
  }
  co_return Error::closed;
}

Task<Result<Done, Error>> MemoryStream::write(std::string_view octets, Time deadline) {
  ++write_calls_;
  return send(octets, deadline);
}

Task<Result<Done, Error>> MemoryStream::write_parts(std::span<const std::string_view> parts, Time deadline) {
  ++write_calls_;
  for (std::string_view part : parts) {
    Result<Done, Error> sent = co_await send(part, deadline);
    if (!sent) co_return sent.error();
  }
  co_return Done{};
}

Task<Result<Done, Error>> MemoryStream::send(std::string_view octets, Time deadline) {
  PendingWrite pending(*this);
  while (true) {
    if (closed_) co_return Error::closed;  // closed by close(), after which octets in transit still arrive
    octets.remove_prefix(outgoing_.send(octets));
    if (auto error = outgoing_.write_error()) {
      pending.finish();
      co_return *error;
    }
    if (octets.empty()) break;
    async::Woken woken = co_await outgoing_.room().wait(deadline);
    if (woken == async::Woken::timed_out) co_return Error::timed_out;
  }
  pending.finish();
  co_return Done{};
}

void MemoryStream::close() {
  if (closed_) return;
  closed_ = true;
  outgoing_.end();
  incoming_.refuse_more();
  incoming_.news().notify();
  outgoing_.room().notify();
}

void MemoryStream::abort() {
  bool was_closed = std::exchange(closed_, true);
  if (was_closed) return;
  outgoing_.fail(Error::reset);
  incoming_.fail(Error::reset);
}

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> memory_streams(async::Scheduler& scheduler) {
  auto connection = std::make_shared<MemoryConnection>(scheduler);
  MemoryWire& there = connection->first_to_second;
  MemoryWire& back = connection->second_to_first;
  return {std::make_unique<MemoryStream>(connection, back, there),
          std::make_unique<MemoryStream>(connection, there, back)};
}

std::pair<std::unique_ptr<MemoryStream>, MemoryPeer> memory_stream_and_peer(async::Scheduler& scheduler) {
  auto connection = std::make_shared<MemoryConnection>(scheduler);
  MemoryWire& there = connection->first_to_second;
  MemoryWire& back = connection->second_to_first;
  return {std::make_unique<MemoryStream>(connection, back, there), MemoryPeer(connection, there, back)};
}

}  // namespace sallyport::support
