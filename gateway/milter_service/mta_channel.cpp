#include "gateway/milter_service/mta_channel.h"

#include <algorithm>
#include <utility>

#include "gateway/async/share.h"

namespace sallyport::milter_service {

namespace {

// How long an MTA may take to read answers before its connection ends.
constexpr Duration reading_patience = std::chrono::seconds(30);
// Of memory for answers, from one message to the next.
constexpr std::size_t kept_octets = 4096;

}  // namespace

Task<Result<milter::Packet, MtaChannel::Lost>> MtaChannel::next(Time deadline, Duration patience) {
  bool is_begun = false;
  while (true) {
    if (taken_ > 0) stream_->consume(std::exchange(taken_, 0));
    const std::string_view input = stream_->input();
    std::string_view rest = input;
    const auto status = reader_.read(rest);
    taken_ = input.size() - rest.size();
    if (status == milter::PacketReader::Status::packet) co_return reader_.packet();
    if (status == milter::PacketReader::Status::malformed) co_return Lost();
    stream_->consume(std::exchange(taken_, 0));
    if (!answers_.empty()) {
      auto sent = co_await flush();
      if (!sent) co_return Lost(sent.error());
    }
    if (!is_begun && reader_.is_in_packet()) {
      is_begun = true;
      deadline = std::min(deadline, scheduler_.now() + patience);
    }
    auto more = co_await stream_->fill(deadline);
    if (!more) co_return Lost(more.error());
    // What comes is hashed, stored or discarded at once.
    co_await async::Share(scheduler_, stream_->input().size());
  }
}

Task<Result<Done, io::Error>> MtaChannel::flush() {
  if (answers_.empty()) co_return Done{};
  is_flushing_ = true;
  auto sent = co_await stream_->write(answers_, scheduler_.now() + reading_patience);
  is_flushing_ = false;
  answers_.clear();
  if (answers_.capacity() > kept_octets) answers_.shrink_to_fit();
  co_return sent;
}

}  // namespace sallyport::milter_service
