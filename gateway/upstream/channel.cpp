#include "gateway/upstream/channel.h"

#include "gateway/base/text.h"
#include "gateway/io/shortage.h"
#include "gateway/stream/tls_stream.h"
#include "gateway/upstream/source_address.h"

namespace sallyport::upstream {

using Kind = UpstreamError::Kind;

namespace {

// Servers are known to answer slower and slower, and then with 421, from the tenth error of a session on.
constexpr std::uint64_t most_refusals = 8;
// Opportunistic TLS that does not come about in this time is done without (U20).
constexpr Duration opportunistic_patience = std::chrono::seconds(10);

// What the server said, as one line.
std::string words_of(std::string_view before, const smtp::UpstreamReply& reply) {
  std::string words(before);
  words.append(" ").append(std::to_string(reply.code));
  if (!reply.lines.empty()) words.append(" ").append(text::printable(reply.lines.front(), 200));
  return words;
}

// To the greeting or to EHLO (U7).
UpstreamError turned_away(std::string_view at, const smtp::UpstreamReply& reply) {
  return {reply.is_temporary() ? Kind::full : Kind::down, words_of(at, reply), false};
}

// `from`: nothing is our own address.
Task<Result<std::unique_ptr<io::Stream>, io::Error>> dial(io::Dialer& dialer, const Endpoint& server,
                                                          std::optional<IpAddress> from, Time deadline) {
  if (from) return dialer.dial_from(*from, server.address(), deadline);
  return server.is_unix() ? dialer.dial_unix(server.path(), deadline) : dialer.dial(server.address(), deadline);
}

// What this host lacks says nothing about the server. To be called as soon as the call has given `exhausted`.
UpstreamError lacking(std::string_view call) {
  const io::Shortage what = io::take_shortage();
  UpstreamError error{Kind::resource, std::string(call) + "out of " + std::string(io::name(what)), false};
  error.shortage = what;
  return error;
}

// A connection that is made in a client's name is refused to that client, as its MAIL could be.
UpstreamError unwelcome(smtp::UpstreamReply greeting) {
  UpstreamError error{Kind::unwelcome, "greeting " + std::to_string(greeting.code) + " to the client", false};
  if (greeting.code == 421) greeting.code = 451;  // it is that connection which ends, not the client's to us
  error.refusal = std::move(greeting);
  return error;
}

}  // namespace

UpstreamError UpstreamChannel::broken(io::Error error) const {
  if (error == io::Error::exhausted) {
    UpstreamError ours = lacking("");
    ours.nothing_read = nothing_read_;
    return ours;
  }
  Kind kind = error == io::Error::timed_out ? Kind::timed_out : Kind::down;
  return {kind, std::string(io::name(error)), nothing_read_};
}

// Over TLS, arrived octets become visible only when they are decrypted.
bool UpstreamChannel::has_spoken() const {
  if (secured_) secured_->decrypt_arrived();
  return !stream_->input().empty();
}

bool UpstreamChannel::is_speaking() const { return secured_ && secured_->is_in_record(); }

Standing UpstreamChannel::standing() const {
  if (has_spoken()) {
    // Looked at and not taken: the connection is of no further use.
    smtp::ReplyParser parser;
    const auto progress = parser.read(stream_->input());
    const bool is_farewell = progress && progress->reply && progress->reply->is_temporary();
    return is_farewell ? Standing::farewell : Standing::spoken;
  }
  return stream_->is_open() ? Standing::ready : Standing::closed;
}

bool UpstreamChannel::is_worn_out(const Retention& retention) const {
  const std::uint64_t most_mails = std::min(retention.mails, extensions_.mail_max.value_or(retention.mails));
  return is_worn_out_ || mails_ >= most_mails || refusals_ >= most_refusals || age() >= retention.age;
}

Task<UpstreamChannel::Outcome<Done>> UpstreamChannel::send(std::string_view commands, std::size_t replies,
                                                           Time deadline) {
  // U4, U5: what has arrived before we send a command cannot be the reply to it.
  if (owed_ == 0 && has_spoken()) co_return UpstreamError{Kind::protocol, "reply without a command", false};
  // Counted before the write: however the write ends, the connection must not be used again before these replies came.
  owed_ += replies;
  auto sent = co_await stream_->write(commands, deadline);
  if (!sent) co_return broken(sent.error());
  co_return Done{};
}

Task<UpstreamChannel::Outcome<smtp::UpstreamReply>> UpstreamChannel::read_reply(Time deadline) {
  ensure(owed_ > 0, "UpstreamChannel: no reply is owed");
  while (true) {
    auto progress = parser_.read(stream_->input());
    if (!progress) co_return UpstreamError{Kind::protocol, "malformed reply", false};
    if (progress->consumed > 0) {
      nothing_read_ = false;
      stream_->consume(progress->consumed);
    }
    if (progress->reply) {
      --owed_;
      // 421 may answer any command and means that the server is about to close the connection (RFC 5321, 3.8).
      if (progress->reply->code == 421) {
        UpstreamError error{Kind::closing, words_of("the server is closing:", *progress->reply), false};
        error.refusal = std::move(progress->reply);
        co_return error;
      }
      co_return std::move(*progress->reply);
    }
    if (stream_->input().size() >= io::block_octets)
      co_return UpstreamError{Kind::protocol, "reply line too long", false};
    auto more = co_await stream_->fill(deadline);
    if (!more) {
      UpstreamError error = broken(more.error());
      if (!stream_->input().empty()) error.nothing_read = false;
      co_return error;
    }
  }
}

Task<UpstreamChannel::Outcome<smtp::UpstreamReply>> UpstreamChannel::ask(std::string commands, Time deadline) {
  auto sent = co_await send(commands, 1, deadline);
  if (!sent) co_return std::move(sent).error();
  co_return co_await read_reply(deadline);
}

Task<UpstreamChannel::Outcome<Done>> UpstreamChannel::send_content(std::span<const std::string_view> parts,
                                                                   Time deadline) {
  if (has_spoken()) co_return UpstreamError{Kind::early, "reply in the middle of the content", false};
  // The kernel would still accept octets for a server that has closed its side, and their fate would be unknown.
  if (!stream_->is_open()) co_return broken(io::Error::closed);
  auto sent = co_await stream_->write_parts(parts, deadline);
  // The write may have failed because the server replied and closed the connection; then the reply is the reason to
  // report.
  if (!sent && has_spoken()) co_return UpstreamError{Kind::early, "reply in the middle of the content", false};
  if (!sent) co_return broken(sent.error());
  co_return Done{};
}

Task<UpstreamChannel::Outcome<Done>> UpstreamChannel::finish_content(std::span<const std::string_view> parts,
                                                                     Time deadline) {
  auto sent = co_await send_content(parts, deadline);
  if (sent) ++owed_;
  co_return sent;
}

Task<void> UpstreamChannel::say_goodbye(std::function<bool()> is_wanted) {
  constexpr Duration patience = std::chrono::seconds(5);
  constexpr Duration least_patience = std::chrono::milliseconds(200);
  if (is_usable()) {
    const Time deadline = scheduler_.now() + patience;
    auto sent = co_await send("QUIT\r\n", 1, scheduler_.now() + least_patience);
    bool is_answered = false;
    while (sent && !is_answered) {
      auto farewell = co_await read_reply(std::min(deadline, scheduler_.now() + least_patience));
      is_answered = farewell.ok();
      const bool is_late = !is_answered && farewell.error().kind == Kind::timed_out;
      if (!is_answered && (!is_late || scheduler_.now() >= deadline || (is_wanted && is_wanted()))) break;
    }
    if (!is_answered) co_return stream_->abort();
  }
  stream_->close();
}

Task<UpstreamChannel::Outcome<std::unique_ptr<UpstreamChannel>>> UpstreamChannel::open(
    async::Scheduler& scheduler, io::Dialer& dialer, const tls::ClientContext* tls,
    const config::UpstreamSettings& settings, Endpoint server, std::string ehlo_name, UpstreamTimeouts timeouts,
    const ClientInfo* client) {
  const std::optional<IpAddress> from = source_address(settings.client_info, client, server);
  const Time deadline = std::min(timeouts.open_by, scheduler.now() + timeouts.connect);
  auto stream = co_await dial(dialer, server, from, deadline);
  if (!stream) {
    if (stream.error() == io::Error::exhausted) co_return lacking("connect: ");
    Kind kind = Kind::down;
    if (stream.error() == io::Error::timed_out) kind = Kind::timed_out;
    if (stream.error() == io::Error::no_helper) kind = Kind::resource;
    co_return UpstreamError{kind, "connect: " + std::string(io::name(stream.error())), false};
  }
  std::unique_ptr<UpstreamChannel> channel(new UpstreamChannel(scheduler, std::move(*stream), timeouts));
  auto ready = co_await channel->open_for(client, settings.client_info, server);
  if (ready) ready = co_await channel->greet(settings, ehlo_name);
  if (ready && settings.tls.mode != tls::UpstreamTls::off)
    ready = co_await channel->secure(tls, settings, server, ehlo_name);
  if (ready) co_return channel;
  UpstreamError error = std::move(ready).error();
  if (error.kind == Kind::closing && channel->is_for_a_client_ && error.refusal)
    co_return unwelcome(std::move(*error.refusal));
  error.was_connected = true;
  if (error.kind == Kind::closing) error.kind = Kind::full;  // U7
  co_return error;
}

bool UpstreamChannel::can_speak_for(std::string_view client, config::ClientInfoWay way) const {
  if (client_ == client) return true;
  if (way != config::ClientInfoWay::xclient || client.empty()) return false;
  return client_.empty() || !extensions_.xclient.is_empty();
}

// What comes before anything else is the PROXY header; the octets go out alone, as the server speaks next.
Task<UpstreamChannel::Outcome<Done>> UpstreamChannel::open_for(const ClientInfo* client, config::ClientInfoWay way,
                                                               Endpoint server) {
  // XCLIENT is said later, before MAIL.
  if (way == config::ClientInfoWay::xclient) co_return Done{};
  client_ = identity_of(way, client, server);
  is_for_a_client_ = client != nullptr && !client_.empty();
  const std::string octets = opening_octets(way, client, stream_->ends());
  has_proxy_header_ = !octets.empty();
  if (octets.empty()) co_return Done{};
  auto sent = co_await stream_->write(octets, opening_deadline(timeouts_.reply));
  if (!sent) co_return broken(sent.error());
  co_return Done{};
}

Task<UpstreamChannel::Outcome<Done>> UpstreamChannel::greet(const config::UpstreamSettings& settings,
                                                            std::string ehlo_name) {
  owed_ = 1;
  auto greeting = co_await read_reply(opening_deadline(timeouts_.reply));
  if (!greeting && greeting.error().kind == Kind::closing && is_for_a_client_) {
    co_return unwelcome(std::move(*std::move(greeting).error().refusal));
  }
  if (!greeting) co_return std::move(greeting).error();
  if (greeting->code != 220 && is_for_a_client_) co_return unwelcome(std::move(*greeting));
  if (greeting->code != 220) co_return turned_away("greeting", *greeting);
  co_return co_await say_ehlo(settings, std::move(ehlo_name));
}

Task<UpstreamChannel::Outcome<smtp::UpstreamReply>> UpstreamChannel::say_hello(const config::UpstreamSettings& settings,
                                                                               std::string name, Time deadline) {
  const bool is_lmtp = settings.protocol == config::UpstreamProtocol::lmtp;
  auto reply = co_await ask((is_lmtp ? "LHLO " : "EHLO ") + name + "\r\n", deadline);
  if (reply && reply->code == 250) {
    smtp::hide_keywords(reply->lines, settings.hide);
    extensions_ = smtp::read_ehlo_lines(reply->lines);
  }
  co_return reply;
}

Task<UpstreamChannel::Outcome<Done>> UpstreamChannel::say_ehlo(const config::UpstreamSettings& settings,
                                                               std::string ehlo_name) {
  const bool is_lmtp = settings.protocol == config::UpstreamProtocol::lmtp;
  auto reply = co_await say_hello(settings, ehlo_name, opening_deadline(timeouts_.reply));
  if (!reply) co_return std::move(reply).error();
  if (reply->code == 250) co_return Done{};
  const std::string verb = is_lmtp ? "LHLO" : "EHLO";
  // A server that knows nothing of the PROXY header answers that as a command, and EHLO after it.
  const bool is_unknown_command = reply->code >= 500 && reply->code <= 504;
  if (is_unknown_command && has_proxy_header_) co_return turned_away(verb + " after a PROXY header", *reply);
  if (is_for_a_client_ && !is_unknown_command) co_return unwelcome(std::move(*reply));
  // RFC 2033, 4.1: LMTP has neither EHLO nor HELO.
  if (!reply->is_permanent() || is_lmtp) co_return turned_away(verb, *reply);
  // A server older than ESMTP (RFC 5321, 3.2).
  auto helo = co_await ask("HELO " + ehlo_name + "\r\n", opening_deadline(timeouts_.reply));
  if (!helo) co_return std::move(helo).error();
  if (helo->code != 250) co_return turned_away("HELO", *helo);
  extensions_ = {};
  co_return Done{};
}

// U15: what goes wrong from STARTTLS to the end of the handshake is an error of TLS. U20: where TLS is opportunistic,
// so is what goes wrong with the EHLO after it, as a server that dislikes the handshake shows it only then.
Task<UpstreamChannel::Outcome<Done>> UpstreamChannel::secure(const tls::ClientContext* tls,
                                                             const config::UpstreamSettings& settings, Endpoint server,
                                                             std::string ehlo_name) {
  const bool required = settings.tls.mode != tls::UpstreamTls::opportunistic;
  if (!extensions_.starttls || !tls) {
    if (required) co_return UpstreamError{Kind::tls, "STARTTLS is not offered", false};
    co_return Done{};
  }
  auto secured = co_await start_tls(tls, settings, server);
  if (secured) {
    if (!required) timeouts_.reply = std::min(timeouts_.reply, opportunistic_patience);
    secured = co_await say_ehlo(settings, std::move(ehlo_name));
    if (secured || required) co_return secured;
  }
  UpstreamError error = std::move(secured).error();
  if (error.kind != Kind::resource) error.kind = is_tampered_with_ && !required ? Kind::protocol : Kind::tls;
  co_return error;
}

// RFC 3207. Octets in the clear after the 220 come from an attacker on the way: U15 drops the connection. Opportunistic
// TLS would otherwise go on in the clear, which is what the attacker wants; so this is the end there too.
Task<UpstreamChannel::Outcome<Done>> UpstreamChannel::start_tls(const tls::ClientContext* tls,
                                                                const config::UpstreamSettings& settings,
                                                                Endpoint server) {
  const bool required = settings.tls.mode != tls::UpstreamTls::opportunistic;
  const Duration patience = required ? timeouts_.reply : std::min(timeouts_.reply, opportunistic_patience);
  auto reply = co_await ask("STARTTLS\r\n", opening_deadline(patience));
  if (!reply) {
    UpstreamError error = std::move(reply).error();
    error.detail.insert(0, "STARTTLS: ");
    co_return error;
  }
  if (reply->code != 220) co_return UpstreamError{Kind::tls, words_of("STARTTLS", *reply), false};
  if (!stream_->input().empty()) {
    is_tampered_with_ = true;
    co_return UpstreamError{Kind::tls, "octets in the clear after STARTTLS", false};
  }
  std::string name = settings.tls.name.empty() ? server.certificate_name() : settings.tls.name;
  auto secured = std::make_unique<stream::TlsStream>(std::move(stream_), tls->make_engine(name));
  stream::TlsStream& handshaking = *secured;
  secured_ = secured.get();
  stream_ = std::move(secured);
  auto shaken = co_await handshaking.handshake(opening_deadline(patience));
  if (!shaken) {
    if (shaken.error() == io::Error::exhausted) co_return lacking("TLS handshake: ");
    // Of what was lost beneath TLS the engine knows nothing.
    const std::string failure = shaken.error() == io::Error::tls ? handshaking.failure() : std::string();
    const std::string_view why = failure.empty() ? io::name(shaken.error()) : failure;
    co_return UpstreamError{Kind::tls, "TLS handshake: " + std::string(why), false};
  }
  is_tls_ = true;
  parser_ = smtp::ReplyParser();
  co_return Done{};
}

}  // namespace sallyport::upstream
