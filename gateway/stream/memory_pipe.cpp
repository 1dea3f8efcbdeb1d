#include "gateway/stream/memory_pipe.h"

#include <algorithm>
#include <string>

#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"

namespace sallyport::stream {

namespace {

using io::Error;

// One direction of the connection: the octets that one end has written and the other has not fetched yet.
class Channel {
 public:
  explicit Channel(async::Scheduler& scheduler) : news_(scheduler) {}

  void put(std::string_view octets) {
    octets_.append(octets);
    news_.notify();
  }
  void end() {
    ended_ = true;
    news_.notify();
  }
  // Appends up to `most` waiting octets to `to`; false when there are none.
  bool fetch(std::string& to, std::size_t most) {
    const std::size_t count = std::min(most, octets_.size() - fetched_);
    to.append(octets_, fetched_, count);
    fetched_ += count;
    if (fetched_ == octets_.size()) {
      octets_.clear();
      fetched_ = 0;
    }
    return count > 0;
  }
  bool has_ended() const { return ended_; }
  async::Signal& news() { return news_; }

 private:
  std::string octets_;
  std::size_t fetched_ = 0;
  bool ended_ = false;
  async::Signal news_;
};

struct Connection {
  explicit Connection(async::Scheduler& scheduler) : there(scheduler), back(scheduler) {}
  Channel there;
  Channel back;
};

class PipeEnd final : public io::Stream {
 public:
  PipeEnd(std::shared_ptr<Connection> connection, Channel& incoming, Channel& outgoing)
      : connection_(std::move(connection)), incoming_(incoming), outgoing_(outgoing) {}
  PipeEnd(const PipeEnd&) = delete;
  PipeEnd& operator=(const PipeEnd&) = delete;
  ~PipeEnd() override { PipeEnd::close(); }

  std::string_view input() const override { return std::string_view(arrived_).substr(consumed_); }

  void consume(std::size_t octets) override {
    consumed_ += octets;
    if (consumed_ < arrived_.size()) return;
    arrived_.clear();
    consumed_ = 0;
  }

  Task<Result<Done, Error>> fill(Time deadline) override {
    arrived_.erase(0, consumed_);
    consumed_ = 0;
    ensure(arrived_.size() < io::block_octets, "memory pipe: fill() with a full block");
    while (!closed_) {
      if (incoming_.fetch(arrived_, io::block_octets - arrived_.size())) co_return Done{};
      if (incoming_.has_ended()) co_return Error::closed;
      const async::Woken woken = co_await incoming_.news().wait(deadline);
      if (woken == async::Woken::timed_out) co_return Error::timed_out;
    }
    co_return Error::closed;
  }

  Task<Result<Done, Error>> write(std::string_view octets, Time) override {
    if (!is_open()) co_return Error::closed;
    outgoing_.put(octets);
    co_return Done{};
  }

  Task<Result<Done, Error>> write_parts(std::span<const std::string_view> parts, Time) override {
    if (!is_open()) co_return Error::closed;
    for (const std::string_view part : parts) outgoing_.put(part);
    co_return Done{};
  }

  bool is_open() const override { return !closed_ && !incoming_.has_ended(); }
  // Its ends have one closing only, for both directions.
  bool is_broken() const override { return !is_open(); }

  void close() override {
    if (closed_) return;
    closed_ = true;
    outgoing_.end();
    incoming_.news().notify();  // wakes a coroutine that waits in this end's fill()
  }
  void abort() override { close(); }

 private:
  std::shared_ptr<Connection> connection_;
  Channel& incoming_;
  Channel& outgoing_;
  std::string arrived_;
  std::size_t consumed_ = 0;
  bool closed_ = false;
};

}  // namespace

std::pair<std::unique_ptr<io::Stream>, std::unique_ptr<io::Stream>> make_memory_pipe(async::Scheduler& scheduler) {
  auto connection = std::make_shared<Connection>(scheduler);
  return {std::make_unique<PipeEnd>(connection, connection->back, connection->there),
          std::make_unique<PipeEnd>(connection, connection->there, connection->back)};
}

}  // namespace sallyport::stream
