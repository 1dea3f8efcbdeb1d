// A connected pair of io::Streams in memory that never want for memory themselves, as a socket's buffers do not.
//
// Only the frames of their coroutines may fail, as those of the real streams may. A writer never waits.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/io/stream.h"
#include "tests/unit/exhaustion/injector.h"

namespace sallyport::exhaustion {

// One direction.
struct PipeHalf {
  explicit PipeHalf(async::Scheduler& scheduler) : news(scheduler) {}
  std::string octets;
  bool ended = false;
  bool reset = false;
  async::Signal news;
};

struct Pipe {
  explicit Pipe(async::Scheduler& scheduler) : there(scheduler), back(scheduler) {}
  PipeHalf there;
  PipeHalf back;
};

class PipeEnd final : public io::Stream {
 public:
  PipeEnd(std::shared_ptr<Pipe> pipe, PipeHalf& incoming, PipeHalf& outgoing)
      : pipe_(std::move(pipe)), incoming_(incoming), outgoing_(outgoing) {}
  PipeEnd(const PipeEnd&) = delete;
  PipeEnd& operator=(const PipeEnd&) = delete;
  ~PipeEnd() override { PipeEnd::close(); }

  std::string_view input() const override {
    if (closed_) return {};
    std::string_view shown = std::string_view(incoming_.octets).substr(0, io::block_octets);
    seen_ = shown.size();
    return shown;
  }
  void consume(std::size_t octets) override {
    if (closed_) return;
    incoming_.octets.erase(0, octets);
    seen_ -= std::min(seen_, octets);
  }
  Task<Result<Done, io::Error>> fill(Time deadline) override {
    while (!closed_) {
      if (std::min(incoming_.octets.size(), io::block_octets) > seen_) co_return Done{};
      if (incoming_.reset) co_return io::Error::reset;
      if (incoming_.ended) co_return io::Error::closed;
      async::Woken woken = co_await incoming_.news.wait(deadline);
      if (woken == async::Woken::timed_out) co_return io::Error::timed_out;
    }
    co_return io::Error::closed;
  }
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override {
    co_return co_await write_parts(std::span(&octets, 1), deadline);
  }
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time) override {
    if (closed_) co_return io::Error::closed;
    if (outgoing_.reset || incoming_.reset) co_return io::Error::reset;
    {
      Exempt as_in_the_kernel;
      for (std::string_view part : parts) outgoing_.octets += part;
    }
    outgoing_.news.notify();
    co_return Done{};
  }
  bool is_open() const override { return !closed_ && !incoming_.ended && !incoming_.reset && !outgoing_.reset; }
  bool is_broken() const override { return closed_ || incoming_.reset || outgoing_.reset; }
  void close() override {
    if (std::exchange(closed_, true)) return;
    outgoing_.ended = true;
    outgoing_.news.notify();
    incoming_.news.notify();
  }
  void abort() override {
    if (std::exchange(closed_, true)) return;
    outgoing_.reset = incoming_.reset = true;
    outgoing_.news.notify();
    incoming_.news.notify();
  }

 private:
  std::shared_ptr<Pipe> pipe_;
  PipeHalf& incoming_;
  PipeHalf& outgoing_;
  mutable std::size_t seen_ = 0;  // the length of input() when it was last looked at
  bool closed_ = false;
};

}  // namespace sallyport::exhaustion
