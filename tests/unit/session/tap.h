// Taps: what passes over the connections of the gateway in a test, as the gateway itself sends and sees it.
//
// A TappedStream stands between a session (or an upstream channel) and its stream and writes down every octet in both
// directions, with the moment it passed; a TappedDialer puts one into every connection that is opened. Nothing is
// changed on the way. The records outlive the streams: the invariants are checked on them when the test is over.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/io/dialer.h"
#include "gateway/io/stream.h"

namespace sallyport::session {

// Moments are counted over all taps and logs of a thread: of two events the later one has the greater moment.
std::uint64_t next_moment();

// What has passed over one connection. `sent` is the gateway's.
struct Wire {
  // When so many octets had passed in a direction.
  struct Mark {
    std::size_t octets;
    std::uint64_t moment;
    Time time;
  };
  std::string sent;
  std::string received;
  std::vector<Mark> sent_marks;
  std::vector<Mark> received_marks;
  bool is_open = true;  // the gateway still holds the connection

  void note_sent(std::string_view octets, Time now);
  void note_received(std::string_view octets, Time now);
  // The same connection as the other side calls it.
  Wire turned_round() const;
};

// The mark by which the octet before `end` had passed.
const Wire::Mark& mark_of(const std::vector<Wire::Mark>& marks, std::size_t end);

class TappedStream final : public io::Stream {
 public:
  // Without a scheduler the marks tell no time.
  TappedStream(const async::Scheduler* scheduler, std::unique_ptr<io::Stream> inner, std::shared_ptr<Wire> wire)
      : scheduler_(scheduler), inner_(std::move(inner)), wire_(std::move(wire)) {}
  ~TappedStream() override { wire_->is_open = false; }

  std::string_view input() const override;
  void consume(std::size_t octets) override;
  Task<Result<Done, io::Error>> fill(Time deadline) override { return inner_->fill(deadline); }
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override;
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time deadline) override;
  bool is_open() const override { return inner_->is_open(); }
  void close() override { inner_->close(); }
  void abort() override { inner_->abort(); }

 private:
  Time now() const { return scheduler_ ? scheduler_->now() : Time(); }

  const async::Scheduler* scheduler_;
  std::unique_ptr<io::Stream> inner_;
  std::shared_ptr<Wire> wire_;
  std::size_t consumed_ = 0;
};

class TappedDialer final : public io::Dialer {
 public:
  TappedDialer(async::Scheduler& scheduler, io::Dialer& inner) : scheduler_(scheduler), inner_(inner) {}

  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(SocketAddress to, Time deadline) override;
  // From now on nobody answers: the servers of the test may be gone.
  void fall_silent() { silent_ = true; }
  const std::vector<std::shared_ptr<Wire>>& wires() const { return wires_; }

 private:
  async::Scheduler& scheduler_;
  io::Dialer& inner_;
  std::vector<std::shared_ptr<Wire>> wires_;
  bool silent_ = false;
};

}  // namespace sallyport::session
