// Taps: record what the gateway sends and receives on its connections in a test.
//
// A TappedStream stands between a session (or an upstream channel) and its stream, and records every octet in both
// directions with the moment at which it passed. A TappedDialer wraps every connection that it opens. Nothing is
// changed. The records outlive the streams, because the invariants are checked on them after the test.
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

// The next moment. Moments are counted over all taps and logs of a thread, so that a later event has a greater number.
std::uint64_t next_moment();

// The octets of one connection; `sent` are those that the gateway sent.
struct Wire {
  // The moment at which `octets` octets had passed in one direction.
  struct Mark {
    std::size_t octets;
    std::uint64_t moment;
    Time time;
  };
  std::string sent;
  std::string received;
  std::vector<Mark> sent_marks;
  std::vector<Mark> received_marks;
  bool is_open = true;  // the gateway has not destroyed its stream

  void note_sent(std::string_view octets, Time now);
  void note_received(std::string_view octets, Time now);
  // The same connection from the other side's view: sent and received exchanged.
  Wire turned_round() const;
};

// The first mark at which `end` octets had passed.
const Wire::Mark& mark_of(const std::vector<Wire::Mark>& marks, std::size_t end);

class TappedStream final : public io::Stream {
 public:
  // Without a scheduler the marks have no time.
  TappedStream(const async::Scheduler* scheduler, std::unique_ptr<io::Stream> inner, std::shared_ptr<Wire> wire)
      : scheduler_(scheduler), inner_(std::move(inner)), wire_(std::move(wire)) {}
  ~TappedStream() override { wire_->is_open = false; }

  std::string_view input() const override;
  void consume(std::size_t octets) override;
  Task<Result<Done, io::Error>> fill(Time deadline) override { return inner_->fill(deadline); }
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override;
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time deadline) override;
  bool has_undelivered() const override { return inner_->has_undelivered(); }
  bool is_open() const override { return inner_->is_open(); }
  bool is_broken() const override { return inner_->is_broken(); }
  bool peer_has_ended() const override { return inner_->peer_has_ended(); }
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
  Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial_from(IpAddress from, SocketAddress to,
                                                                 Time deadline) override;
  // From now on every dial() times out, because the servers of the test may be gone.
  void fall_silent() { silent_ = true; }
  const std::vector<std::shared_ptr<Wire>>& wires() const { return wires_; }

 private:
  using Dialled = Task<Result<std::unique_ptr<io::Stream>, io::Error>>;
  Dialled tap(Dialled dialled, Time deadline);

  async::Scheduler& scheduler_;
  io::Dialer& inner_;
  std::vector<std::shared_ptr<Wire>> wires_;
  bool silent_ = false;
};

}  // namespace sallyport::session
