#include "tests/unit/session/faulty_upstream.h"

#include <algorithm>
#include <array>

#include "gateway/async/wait.h"
#include "gateway/base/text.h"
#include "gateway/smtp/body_reader.h"
#include "gateway/stream/tls_stream.h"

namespace sallyport::session {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array point_names = {"connect",    "greeting",   "ehlo",      "starttls",    "second_ehlo", "mail",
                                    "first_rcpt", "later_rcpt", "go_ahead",  "mid_content", "before_end",  "after_end",
                                    "rset",       "idle",       "first_use", "quit"};
constexpr std::array misdeed_names = {"closes",   "resets",   "stalls",         "early",        "late",
                                      "too_late", "twice",    "no_code",        "code_outside", "differing_codes",
                                      "nul",      "bare_lf",  "too_many_lines", "too_long",     "octet_by_octet",
                                      "says_421", "says_4xx", "says_5xx",       "says_more"};

// When fewer octets than this are missing, everything else of the message has been read: the rest is what the gateway
// may be ahead.
constexpr std::size_t end_is_near_octets = io::block_octets + 2 * FaultyUpstream::transit_octets;

class StringSink : public smtp::ContentSink {
 public:
  explicit StringSink(std::string& into) : into_(into) {}
  void append(std::string_view octets) override { into_.append(octets); }

 private:
  std::string& into_;
};

// How long the gateway waits for a reply at this point (threats.md, U8, I12).
Duration patience_at(Point point) { return point == Point::after_end ? seconds(240) : seconds(60); }

std::string garbage(Misdeed misdeed) {
  switch (misdeed) {
    case Misdeed::no_code:
      return "what?\r\n";
    case Misdeed::code_outside:
      return "600 2.0.0 Ok\r\n";
    case Misdeed::differing_codes:
      return "250-2.0.0 Ok\r\n251 2.0.0 Ok\r\n";
    case Misdeed::nul:
      return std::string("250 2.0.0 O\0k\r\n", 15);
    case Misdeed::bare_lf:
      return "250-2.0.0 O\n250 2.0.0 k\r\n";
    case Misdeed::too_many_lines: {
      std::string reply;
      for (int i = 0; i < 128; ++i) reply += "250-2.0.0 more\r\n";
      return reply + "250 2.0.0 Ok\r\n";
    }
    default:
      return "250 2.0.0 " + std::string(std::size_t{16} * 1024, 'x') + "\r\n";
  }
}

}  // namespace

std::string_view name(Point point) { return point_names.at(static_cast<std::size_t>(point)); }
std::string_view name(Misdeed misdeed) { return misdeed_names.at(static_cast<std::size_t>(misdeed)); }

std::string FaultyUpstream::reply_at(Point point, const Talk& talk) const {
  switch (point) {
    case Point::greeting:
      return "220 upstream.example ESMTP\r\n";
    case Point::ehlo:
    case Point::second_ehlo: {
      std::string lines = "250-upstream.example\r\n";
      if (tls_ && !talk.is_secured) lines += "250-STARTTLS\r\n";
      if (kind_ != Kind::plain) lines += "250-PIPELINING\r\n";
      if (kind_ == Kind::chunking) lines += "250-CHUNKING\r\n";
      return lines + "250 SIZE 10000000\r\n";
    }
    case Point::starttls:
      return "220 2.0.0 Go ahead\r\n";
    case Point::mail:
    case Point::first_use:
      return "250 2.1.0 Ok\r\n";
    case Point::first_rcpt:
    case Point::later_rcpt:
      return "250 2.1.5 Ok\r\n";
    case Point::go_ahead:
      return "354 Go on\r\n";
    case Point::quit:
      return "221 2.0.0 Bye\r\n";
    case Point::rset:
      return "250 2.0.0 Ok\r\n";
    default:
      return "250 2.0.0 Stored\r\n";
  }
}

// The point whose reply comes before the one of `point`; nothing where the reply cannot be early.
std::optional<Point> FaultyUpstream::point_before(Point point) const {
  switch (point) {
    case Point::ehlo:
      return Point::greeting;
    case Point::starttls:
      return Point::ehlo;
    case Point::second_ehlo:
      return Point::starttls;
    case Point::mail:
      return tls_ ? Point::second_ehlo : Point::ehlo;
    case Point::first_rcpt:
      return Point::mail;
    case Point::later_rcpt:
      return Point::first_rcpt;
    case Point::go_ahead:
      return Point::later_rcpt;
    case Point::after_end:
      return kind_ == Kind::chunking ? Point::later_rcpt : Point::go_ahead;
    default:
      return std::nullopt;
  }
}

Task<bool> FaultyUpstream::say(Talk& talk, std::string octets) {
  co_return (co_await talk.stream->write(octets, async::no_deadline)).ok();
}

Task<bool> FaultyUpstream::answer(Talk& talk, Point point) {
  std::string reply = reply_at(point, talk);
  if (talk.has_replied_early && point == plan_.point) {
    talk.has_replied_early = false;
    co_return true;
  }
  if (armed_ && plan_.misdeed == Misdeed::early && point_before(plan_.point) == point) {
    armed_ = false;
    done_ = talk.has_replied_early = true;
    std::string both = reply + reply_at(plan_.point, talk);
    co_return co_await say(talk, std::move(both));
  }
  if (!is_due(point)) co_return co_await say(talk, std::move(reply));
  co_return co_await do_wrong(talk, point, std::move(reply));
}

Task<bool> FaultyUpstream::do_wrong(Talk& talk, Point point, std::string reply) {
  armed_ = false;
  done_ = true;
  switch (plan_.misdeed) {
    case Misdeed::closes:
      talk.stream->close();
      co_return false;
    case Misdeed::resets:
      talk.stream->abort();
      co_return false;
    case Misdeed::stalls: {
      async::Signal never(scheduler_);
      co_await never.wait();
      co_return false;
    }
    case Misdeed::late:
      co_await async::sleep_for(scheduler_, patience_at(point) - seconds(1));
      co_return co_await say(talk, std::move(reply));
    case Misdeed::too_late:
      co_await async::sleep_for(scheduler_, patience_at(point) + seconds(1));
      co_return co_await say(talk, std::move(reply));
    case Misdeed::early:
      co_return co_await say(talk, std::move(reply));
    case Misdeed::twice:
      co_return co_await say(talk, reply + reply);
    case Misdeed::says_more:
      co_return co_await say(talk, reply + "250 2.0.0 And one more\r\n");
    case Misdeed::octet_by_octet:
      for (char octet : reply) {
        if (!co_await say(talk, std::string(1, octet))) co_return false;
        co_await async::sleep_for(scheduler_, milliseconds(1));
      }
      co_return true;
    case Misdeed::says_421:
      co_await say(talk, "421 4.3.2 Going down\r\n");
      talk.stream->close();
      co_return false;
    case Misdeed::says_4xx:
      co_return co_await say(talk, "450 4.2.1 Not now\r\n");
    case Misdeed::says_5xx:
      co_return co_await say(talk, "552 5.2.2 Never\r\n");
    default:
      co_return co_await say(talk, garbage(plan_.misdeed));
  }
}

Task<std::optional<std::string>> FaultyUpstream::read_line(io::Stream& stream) {
  std::size_t end;
  while ((end = stream.input().find("\r\n")) == std::string_view::npos) {
    auto more = co_await stream.fill(async::no_deadline);
    if (!more) co_return std::nullopt;
  }
  std::string line(stream.input().substr(0, end));
  stream.consume(end + 2);
  co_return line;
}

void FaultyUpstream::narrow(support::MemoryStream& stream) {
  support::Faults faults;
  faults.transit_octets = transit_octets;
  stream.set_read_faults(faults);
}

Task<void> FaultyUpstream::serve(std::unique_ptr<io::Stream> stream) {
  ++books_.connections;
  Talk talk;
  talk.stream = std::move(stream);
  if (!co_await answer(talk, Point::greeting)) co_return;
  while (true) {
    auto line = co_await read_line(*talk.stream);
    if (!line) co_return;
    books_.commands.push_back(*line);
    if (!co_await obey(talk, *line)) co_return;
  }
}

Task<bool> FaultyUpstream::obey(Talk& talk, const std::string& line) {
  std::string verb = line.substr(0, line.find(' '));
  if (verb == "EHLO") co_return co_await answer(talk, talk.is_secured ? Point::second_ehlo : Point::ehlo);
  if (verb == "HELO") co_return co_await say(talk, "250 upstream.example\r\n");
  if (verb == "STARTTLS") co_return co_await secure(talk);
  if (verb == "QUIT") {
    if (co_await answer(talk, Point::quit)) talk.stream->close();
    co_return false;
  }
  if (verb == "RSET") {
    talk.has_mail = false;
    talk.current = {};
    co_return co_await answer(talk, Point::rset);
  }
  bool refuses = plan_.misdeed == Misdeed::says_4xx || plan_.misdeed == Misdeed::says_5xx;
  if (verb == "MAIL") {
    Point point = plan_.point == Point::first_use ? Point::first_use : Point::mail;
    talk.current = {};
    talk.current.mail = line;
    talk.has_mail = !(is_due(point) && refuses);
    co_return co_await answer(talk, point);
  }
  if (verb == "RCPT") {
    if (!talk.has_mail) co_return co_await say(talk, "503 5.5.1 MAIL first\r\n");
    Point point = talk.current.rcpts.empty() ? Point::first_rcpt : Point::later_rcpt;
    if (!is_due(point) || !refuses) talk.current.rcpts.push_back(line);
    co_return co_await answer(talk, point);
  }
  if (verb == "DATA") {
    bool goes_on = !is_due(Point::go_ahead) || !refuses;
    bool is_open = co_await answer(talk, Point::go_ahead);
    if (!is_open || !goes_on) co_return is_open;
    co_return co_await take_content(talk, std::nullopt);
  }
  if (verb == "BDAT") co_return co_await take_content(talk, text::to_number(text::split(line, ' ').at(1)));
  co_return co_await say(talk, "500 5.5.1 What?\r\n");
}

Task<bool> FaultyUpstream::secure(Talk& talk) {
  bool accepts = !is_due(Point::starttls) || (plan_.misdeed != Misdeed::says_4xx && plan_.misdeed != Misdeed::says_5xx);
  if (!co_await answer(talk, Point::starttls)) co_return false;
  if (!accepts) co_return true;
  auto secured = std::make_unique<stream::TlsStream>(std::move(talk.stream), tls_->make_engine());
  if (!co_await secured->handshake(async::no_deadline)) co_return false;
  // For the invariants, as in FakeUpstream.
  books_.secured.push_back(std::make_shared<Wire>());
  books_.secured.back()->note_sent("220 secured\r\n", Time());
  talk.stream = std::make_unique<TappedStream>(nullptr, std::move(secured), books_.secured.back());
  talk.is_secured = true;
  co_return true;
}

Task<bool> FaultyUpstream::take_content(Talk& talk, std::optional<std::uint64_t> counted) {
  io::Stream& stream = *talk.stream;
  StringSink sink(talk.current.content);
  smtp::BodyReader reader;
  bool has_answered = false;
  bool refuses = plan_.misdeed == Misdeed::says_4xx || plan_.misdeed == Misdeed::says_5xx;
  bool has_refused = false;
  while (true) {
    std::string& content = talk.current.content;
    for (Point point : {Point::mid_content, Point::before_end}) {
      std::size_t from = point == Point::mid_content ? 1 : plan_.message_octets - end_is_near_octets;
      if (!is_due(point) || content.size() < from) continue;
      has_answered = plan_.misdeed == Misdeed::early || plan_.misdeed == Misdeed::twice || refuses;
      has_refused = refuses;
      if (plan_.misdeed == Misdeed::late || plan_.misdeed == Misdeed::too_late) {
        armed_ = false;
        done_ = true;
        co_await async::sleep_for(scheduler_, patience_at(point) + seconds(plan_.misdeed == Misdeed::late ? -1 : 1));
      } else if (!co_await do_wrong(talk, point, reply_at(Point::after_end, talk))) {
        co_return false;
      }
    }
    // In small pieces, so that the point is noticed when it is reached and not up to a block later.
    std::string_view piece = stream.input().substr(0, 512);
    if (counted) {
      piece = piece.substr(0, *counted - content.size());
      sink.append(piece);
      stream.consume(piece.size());
      if (content.size() == *counted) break;
    } else {
      auto progress = reader.read(piece, sink);
      stream.consume(progress.consumed);
      if (progress.ended) break;
    }
    if (!stream.input().empty()) continue;
    auto more = co_await stream.fill(async::no_deadline);
    if (!more) co_return false;
  }
  talk.has_mail = false;
  bool is_wrong = is_due(Point::after_end);
  bool stores = is_wrong ? plan_.stores_first && !refuses && plan_.misdeed != Misdeed::says_421 : !has_refused;
  if (stores) books_.stored.push_back(talk.current);
  talk.current = {};
  if (has_answered) co_return true;
  if (!co_await answer(talk, Point::after_end)) co_return false;
  if (!is_due(Point::idle)) co_return true;
  // Sends something that is not a reply, some time later.
  co_await async::sleep_for(scheduler_, milliseconds(100));
  co_return co_await do_wrong(talk, Point::idle, reply_at(Point::idle, talk));
}

}  // namespace sallyport::session
