#include "gateway/session/client_channel.h"

#include <algorithm>

#include "gateway/async/share.h"
#include "gateway/base/text.h"
#include "gateway/smtp/command.h"

namespace sallyport::session {

namespace {

// Beyond this the client gets its replies before we read on: it may be one that never reads (threats.md R2).
constexpr std::size_t most_queued = 16 * 1024;
constexpr std::size_t most_kept = 256;  // octets of memory for replies, while there are none

// True if the last chunk of a mail is there, to its end. DATA cannot have content behind it already (S13).
bool completes_a_mail(std::string_view unread) {
  constexpr std::string_view verb = "BDAT ";
  while (true) {
    const std::size_t end = unread.find("\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view line = unread.substr(0, end);
    unread.remove_prefix(end + 2);
    if (!text::starts_with_ignoring_case(line, verb)) continue;
    const auto chunk = smtp::parse_bdat(line.substr(verb.size()));
    if (!chunk || chunk->octets > unread.size()) return false;
    unread.remove_prefix(chunk->octets);
    if (chunk->last) return true;
  }
}

// Waits for input. What is there then takes its share of this turn: whoever reads it hashes, stores or discards it at
// once. What was there before is little, the beginning of a line.
//
// Where tenants share the loop, a step of a tenant's mail takes its share too, so that one with many mails under way
// leaves its turn to the others.
Task<Result<Done, io::Error>> read_more(io::Stream& stream, async::Scheduler& scheduler, Time deadline,
                                        async::Payer payer) {
  auto more = co_await stream.fill(deadline);
  const std::size_t octets = stream.input().size();
  if (more) co_await async::Share(scheduler, payer == 0 ? octets : std::max(octets, async::octets_of_a_step), payer);
  co_return more;
}

// Notes since when the client is waited for, as long as it is.
class Waiting {
 public:
  Waiting(std::optional<Time>& since, Time now) : since_(since) { since_ = now; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { since_.reset(); }

 private:
  std::optional<Time>& since_;
};

}  // namespace

void ClientChannel::finish_line() {
  if (line_octets_ == 0) return;
  stream_->consume(line_octets_);
  line_octets_ = 0;
}

Task<Result<ClientChannel::Line, io::Error>> ClientChannel::next_line(Time deadline) {
  finish_line();
  // A block of input may hold thousands of commands. A client that sends them as fast as we obey them holds up nobody.
  if (!stream_->input().empty()) co_await async::Share(scheduler_, async::octets_of_a_command, payer_);
  const Waiting waiting(waiting_since_, scheduler_.now());
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
    auto more = co_await read_more(*stream_, scheduler_, deadline, payer_);
    if (!more) co_return more.error();
  }
}

bool ClientChannel::has_unread_input() const {
  return stream_->input().size() > line_octets_ || (secured_ && secured_->has_undecrypted());
}

bool ClientChannel::has_left() {
  if (secured_) secured_->decrypt_arrived();
  return stream_->is_broken();
}

bool ClientChannel::may_have_left() {
  if (secured_) secured_->decrypt_arrived();
  return stream_->peer_has_ended() && !has_sent_quit();
}

bool ClientChannel::has_gone() const {
  if (stream_->is_open()) return false;
  if (stream_->is_broken()) return true;
  if (has_whole_content_) return false;
  if (secured_ && secured_->has_undecrypted()) return false;
  return !completes_a_mail(stream_->input().substr(line_octets_));
}

// Its last words, not yet read, are a QUIT.
bool ClientChannel::has_sent_quit() const {
  constexpr std::string_view quit = "QUIT\r\n";
  std::string_view unread = stream_->input().substr(line_octets_);
  if (unread.size() < quit.size()) return false;
  std::string_view before = unread.substr(0, unread.size() - quit.size());
  return text::equals_ignoring_case(unread.substr(before.size()), quit) && (before.empty() || before.back() == '\n');
}

Task<Result<Done, io::Error>> ClientChannel::flush(Time deadline) {
  if (replies_.empty()) co_return Done{};
  std::string out = std::move(replies_);
  replies_.clear();
  flushing_since_ = scheduler_.now();
  auto sent = co_await stream_->write(out, deadline);
  flushing_since_.reset();
  // The next reply takes the memory of this one. An idle session keeps no more than a few lines' worth.
  if (replies_.empty() && out.capacity() <= most_kept) {
    out.clear();
    replies_ = std::move(out);
  }
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
  const Waiting waiting(waiting_since_, scheduler_.now());
  // RFC 2920, 3.2: whoever sends a chunk in pieces may want the answers to the group before it first.
  if (!replies_.empty()) {
    auto sent = co_await flush(deadline);
    if (!sent) co_return sent;
  }
  co_return co_await read_more(*stream_, scheduler_, deadline, payer_);
}

stream::TlsStream& ClientChannel::secure(std::unique_ptr<tls::Engine> engine) {
  finish_line();
  // Takes the stream only once there is memory for what goes around it.
  auto secured = std::make_unique<stream::TlsStream>(std::move(stream_), std::move(engine));
  parser_ = smtp::ServerParser(max_line_octets_);
  secured_ = secured.get();
  stream_ = std::move(secured);
  return *secured_;
}

}  // namespace sallyport::session
