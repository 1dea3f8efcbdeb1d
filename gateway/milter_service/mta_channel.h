// MtaChannel: one connection of an MTA, packets in and answers out.
//
// Answers are collected and sent together when no complete packet is left in the input, before the channel waits. One
// loop uses it; all waits have a deadline. At most one packet is held in memory, of at most 1 MiB (threats.md F1).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/io/stream.h"
#include "gateway/milter/answer.h"
#include "gateway/milter/packet.h"

namespace sallyport::milter_service {

class MtaChannel {
 public:
  MtaChannel(async::Scheduler& scheduler, std::unique_ptr<io::Stream> stream)
      : scheduler_(scheduler), stream_(std::move(stream)) {}

  // Why there is no next packet: the stream's error, or nothing where what came is no packet.
  using Lost = std::optional<io::Error>;
  // The next packet, of which the first octet comes before `deadline`, and the last within `patience` after it. Its
  // data are valid until the next call of next(), and until the stream is closed.
  Task<Result<milter::Packet, Lost>> next(Time deadline, Duration patience);

  // Where answers are collected.
  std::string& answers() { return answers_; }
  void say(const milter::Answer& answer) { milter::encode(answers_, answer); }
  // Sends them.
  Task<Result<Done, io::Error>> flush();
  // A flush() is under way.
  bool is_flushing() const { return is_flushing_; }

  void close() { stream_->close(); }
  void abort() { stream_->abort(); }

 private:
  async::Scheduler& scheduler_;
  std::unique_ptr<io::Stream> stream_;
  milter::PacketReader reader_;
  std::size_t taken_ = 0;  // octets of the input that the packet in hand, or what is before it, was read from
  std::string answers_;
  bool is_flushing_ = false;
};

}  // namespace sallyport::milter_service
