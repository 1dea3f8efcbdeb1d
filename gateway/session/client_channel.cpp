#include "gateway/session/client_channel.h"

namespace sallyport::session {

namespace {

// Beyond this the client gets its replies before we read on: it may be one that never reads (threats.md R2).
constexpr std::size_t most_queued = 16 * 1024;

}  // namespace

void ClientChannel::finish_line() {
  if (line_octets_ == 0) return;
  stream_->consume(line_octets_);
  line_octets_ = 0;
}

Task<Result<ClientChannel::Line, io::Error>> ClientChannel::next_line(Time deadline) {
  finish_line();
  while (true) {
    std::size_t discardable = 0;
    auto event = parser_.next(stream_->input(), discardable);
    if (event) {
      line_octets_ = event->consumed;
      if (replies_.size() > most_queued) {
        auto sent = co_await flush(deadline);
        if (!sent) co_return sent.error();
      }
      co_return Line{event->kind, event->text};
    }
    if (discardable > 0) stream_->consume(discardable);
    if (!replies_.empty()) {
      auto sent = co_await flush(deadline);
      if (!sent) co_return sent.error();
    }
    if (waits_no_more_) co_return io::Error::closed;
    auto more = co_await stream_->fill(deadline);
    if (!more) co_return more.error();
  }
}

bool ClientChannel::has_unread_input() const {
  return stream_->input().size() > line_octets_ || (secured_ && secured_->has_undecrypted());
}

Task<Result<Done, io::Error>> ClientChannel::flush(Time deadline) {
  if (replies_.empty()) co_return Done{};
  std::string out = std::move(replies_);
  replies_.clear();
  flushing_ = true;
  auto sent = co_await stream_->write(out, deadline);
  flushing_ = false;
  co_return sent;
}

Task<void> ClientChannel::say_last_words() {
  constexpr Duration patience = std::chrono::seconds(1);
  if (replies_.empty()) co_return stream_->close();
  std::string out = std::move(replies_);
  replies_.clear();
  // Whether they still reach the client changes nothing any more.
  static_cast<void>(co_await stream_->write_last(out, scheduler_.now() + patience));
}

std::string_view ClientChannel::input() {
  finish_line();
  return stream_->input();
}

Task<Result<Done, io::Error>> ClientChannel::fill(Time deadline) {
  finish_line();
  co_return co_await stream_->fill(deadline);
}

std::unique_ptr<io::Stream> ClientChannel::release_stream() {
  finish_line();
  parser_ = smtp::ServerParser(max_line_octets_);
  secured_ = nullptr;
  return std::move(stream_);
}

void ClientChannel::set_secured_stream(std::unique_ptr<TlsStream> stream) {
  secured_ = stream.get();
  stream_ = std::move(stream);
}

}  // namespace sallyport::session
