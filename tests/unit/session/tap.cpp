#include "tests/unit/session/tap.h"

#include <algorithm>

#include "gateway/async/wait.h"
#include "gateway/base/ensure.h"

namespace sallyport::session {

std::uint64_t next_moment() {
  thread_local std::uint64_t moment = 0;
  return ++moment;
}

void Wire::note_sent(std::string_view octets, Time now) {
  sent += octets;
  sent_marks.push_back({sent.size(), next_moment(), now});
}

void Wire::note_received(std::string_view octets, Time now) {
  received += octets;
  received_marks.push_back({received.size(), next_moment(), now});
}

Wire Wire::turned_round() const {
  Wire turned = *this;
  std::swap(turned.sent, turned.received);
  std::swap(turned.sent_marks, turned.received_marks);
  return turned;
}

const Wire::Mark& mark_of(const std::vector<Wire::Mark>& marks, std::size_t end) {
  auto found = std::lower_bound(marks.begin(), marks.end(), end,
                                [](const Wire::Mark& mark, std::size_t octets) { return mark.octets < octets; });
  ensure(found != marks.end(), "Wire: so many octets have not passed");
  return *found;
}

// The reader may look at the same unconsumed octets several times; only new ones are recorded.
std::string_view TappedStream::input() const {
  std::string_view input = inner_->input();
  std::size_t known = wire_->received.size() - consumed_;
  if (input.size() > known) wire_->note_received(input.substr(known), now());
  return input;
}

void TappedStream::consume(std::size_t octets) {
  inner_->consume(octets);
  consumed_ += std::min(octets, wire_->received.size() - consumed_);
}

Task<Result<Done, io::Error>> TappedStream::write(std::string_view octets, Time deadline) {
  wire_->note_sent(octets, now());
  return inner_->write(octets, deadline);
}

Task<Result<Done, io::Error>> TappedStream::write_parts(std::span<const std::string_view> parts, Time deadline) {
  for (std::string_view part : parts) wire_->note_sent(part, now());
  return inner_->write_parts(parts, deadline);
}

Task<Result<std::unique_ptr<io::Stream>, io::Error>> TappedDialer::dial(SocketAddress to, Time deadline) {
  return tap(inner_.dial(to, deadline), deadline);
}

Task<Result<std::unique_ptr<io::Stream>, io::Error>> TappedDialer::dial_from(IpAddress from, SocketAddress to,
                                                                             Time deadline) {
  return tap(inner_.dial_from(from, to, deadline), deadline);
}

Task<Result<std::unique_ptr<io::Stream>, io::Error>> TappedDialer::tap(Dialled dialled, Time deadline) {
  if (silent_) {
    co_await async::SleepUntil(scheduler_, deadline);
    co_return io::Error::timed_out;
  }
  auto stream = co_await std::move(dialled);
  if (!stream) co_return stream.error();
  wires_.push_back(std::make_shared<Wire>());
  co_return std::unique_ptr<io::Stream>(std::make_unique<TappedStream>(&scheduler_, std::move(*stream), wires_.back()));
}

}  // namespace sallyport::session
