#include "gateway/sink/sink_session.h"

#include "gateway/async/wait.h"
#include "gateway/base/text.h"
#include "gateway/smtp/body_reader.h"
#include "gateway/stream/tls_stream.h"

namespace sallyport::sink {

using smtp::Verb;

namespace {

constexpr Duration patience = std::chrono::seconds(300);
constexpr std::uint64_t default_max_octets = 64u << 20;

// Keeps the content up to `most` octets; from the part that exceeds it on, it only counts.
class BoundedContent : public smtp::ContentSink {
 public:
  BoundedContent(std::string& content, std::uint64_t most) : content_(content), most_(most) {}
  void append(std::string_view octets) override {
    seen_ += octets.size();
    if (seen_ <= most_) content_.append(octets);
  }
  bool is_over() const { return seen_ > most_; }

 private:
  std::string& content_;
  std::uint64_t most_;
  std::uint64_t seen_ = 0;
};

}  // namespace

SinkSession::SinkSession(async::Scheduler& scheduler, const SinkBehaviour& behaviour, SinkStore& store,
                         std::unique_ptr<io::Stream> stream)
    : scheduler_(scheduler),
      behaviour_(behaviour),
      store_(store),
      channel_(scheduler, std::move(stream), 4096),
      sequence_(behaviour.tls != nullptr, false) {}

void SinkSession::say(int code, std::string_view enhanced, std::string_view text) {
  channel_.queue(smtp::Reply(code, enhanced, text));
}

Task<void> SinkSession::run() {
  say(220, "", behaviour_.hostname + " ESMTP Sallyport sink");
  while (true) {
    auto line = co_await channel_.next_line(scheduler_.now() + patience);
    if (!line || line->kind != smtp::LineEvent::Kind::line) break;
    smtp::Command command = smtp::parse_command(line->text);
    if (!co_await obey(command)) break;
  }
  co_await channel_.say_last_words();
}

Task<bool> SinkSession::obey(const smtp::Command& command) {
  if (command.verb != Verb::bdat && sequence_.may(command.verb) != smtp::Permission::go) {
    say(503, "5.5.1", "Bad sequence of commands");
    co_return true;
  }
  switch (command.verb) {
    case Verb::helo:
    case Verb::ehlo:
      on_hello(command);
      co_return true;
    case Verb::starttls:
      co_return co_await on_starttls();
    case Verb::mail:
      on_mail(command);
      co_return true;
    case Verb::rcpt:
      on_rcpt(command);
      co_return true;
    case Verb::data:
      co_return co_await on_data();
    case Verb::bdat:
      co_return co_await on_bdat(command);
    case Verb::rset:
      sequence_.end_transaction();
      message_ = {message_.helo, message_.tls, {}, {}, {}, false};
      say(250, "2.0.0", "Ok");
      co_return true;
    case Verb::noop:
      say(250, "2.0.0", "Ok");
      co_return true;
    case Verb::quit:
      say(221, "2.0.0", "Bye");
      co_return false;
    default:
      say(500, "5.5.1", "Unknown command");
      co_return true;
  }
}

void SinkSession::on_hello(const smtp::Command& command) {
  bool extended = command.verb == Verb::ehlo;
  sequence_.greeted(extended);
  message_ = {};
  message_.helo = command.arguments;
  message_.tls = sequence_.in_tls();
  if (!extended) return say(250, "", behaviour_.hostname);
  smtp::Extensions offered = behaviour_.offered;
  offered.starttls = behaviour_.tls && !sequence_.in_tls();
  std::vector<std::string> lines = smtp::to_ehlo_lines(offered);
  lines.insert(lines.begin(), behaviour_.hostname);
  channel_.queue(smtp::Reply(250, "", std::move(lines)));
}

Task<bool> SinkSession::on_starttls() {
  say(220, "2.0.0", "Ready to start TLS");
  auto sent = co_await channel_.flush(scheduler_.now() + patience);
  if (!sent || channel_.has_unread_input()) co_return false;
  stream::TlsStream& secured = channel_.secure(behaviour_.tls->make_engine());
  auto shaken = co_await secured.handshake(scheduler_.now() + patience);
  if (!shaken) co_return false;
  sequence_.tls_established();
  message_ = {};
  co_return true;
}

void SinkSession::on_mail(const smtp::Command& command) {
  message_.mail_line = "FROM:" + std::string(command.arguments);
  sequence_.mail_accepted();
  say(250, "2.1.0", "Ok");
}

void SinkSession::on_rcpt(const smtp::Command& command) {
  auto path = smtp::parse_path(command.arguments, smtp::PathKind::forward, true);
  std::string address = path ? path->path.to_string() : std::string(command.arguments);
  if (behaviour_.refused_recipients && behaviour_.refused_recipients->found_in(address)) {
    return say(550, "5.1.1", "No such user here");
  }
  message_.rcpt_lines.push_back("TO:" + std::string(command.arguments));
  sequence_.recipient_accepted();
  say(250, "2.1.5", "Ok");
}

Task<bool> SinkSession::on_data() {
  say(354, "", "End data with <CR><LF>.<CR><LF>");
  auto sent = co_await channel_.flush(scheduler_.now() + patience);
  if (!sent) co_return false;
  std::uint64_t most = behaviour_.max_octets != 0 ? behaviour_.max_octets : default_max_octets;
  BoundedContent content(message_.content, most);
  smtp::BodyReader reader;
  while (true) {
    auto progress = reader.read(channel_.input(), content);
    channel_.consume(progress.consumed);
    if (progress.ended) break;
    auto more = co_await channel_.fill(scheduler_.now() + patience);
    if (!more) co_return false;
  }
  if (content.is_over()) {
    say(552, "5.3.4", "Message too large");
    sequence_.end_transaction();
    co_return true;
  }
  co_await finish_message();
  co_return true;
}

Task<bool> SinkSession::on_bdat(const smtp::Command& command) {
  auto chunk = smtp::parse_bdat(command.arguments);
  if (!chunk) {
    say(501, "5.5.4", "Syntax: BDAT octets [LAST]");
    co_return false;
  }
  std::uint64_t most = behaviour_.max_octets != 0 ? behaviour_.max_octets : default_max_octets;
  bool wanted = behaviour_.offered.chunking && sequence_.may(Verb::bdat) == smtp::Permission::go;
  bool last = chunk->last;
  BoundedContent content(message_.content, most - std::min<std::uint64_t>(most, message_.content.size()));
  std::uint64_t left = chunk->octets;
  while (left > 0) {
    std::string_view input = channel_.input();
    std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(left, input.size()));
    if (wanted) content.append(input.substr(0, taken));
    channel_.consume(taken);
    left -= taken;
    if (left == 0) break;
    auto more = co_await channel_.fill(scheduler_.now() + patience);
    if (!more) co_return false;
  }
  if (!wanted || content.is_over()) {
    say(wanted ? 552 : 503, wanted ? "5.3.4" : "5.5.1", wanted ? "Message too large" : "Bad sequence of commands");
    sequence_.end_transaction();
    co_return true;
  }
  if (!sequence_.in_chunks()) sequence_.chunk_begun();
  message_.by_bdat = true;
  if (last) {
    co_await finish_message();
  } else {
    say(250, "2.0.0", "Ok");
  }
  co_return true;
}

Task<void> SinkSession::finish_message() {
  if (behaviour_.delay > Duration::zero()) co_await async::sleep_for(scheduler_, behaviour_.delay);
  auto stored = co_await store_.store(message_, scheduler_);
  if (stored) {
    say(250, "2.0.0", "Ok: received");
  } else {
    say(451, "4.3.0", "Not stored");
  }
  sequence_.end_transaction();
  message_ = {message_.helo, message_.tls, {}, {}, {}, false};
}

}  // namespace sallyport::sink
