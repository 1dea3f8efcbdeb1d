#include "gateway/session/session.h"

#include <algorithm>
#include <exception>
#include <new>

#include "gateway/base/exception_text.h"
#include "gateway/base/text.h"
#include "gateway/smtp/proxy_header.h"

namespace sallyport::session {

using policies::Stage;
using smtp::Permission;
using smtp::Reply;
using smtp::Verb;

namespace {

// A line is looked at where it lies, in the stream's one block.
std::size_t longest_line(const config::Settings& settings) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(settings.limits.command_line, io::block_octets));
}

// From request_stop() on (R12): how long a client may take to read its replies, without and with content of a mail
// under way; and how long a session without content may wait for others than its client: for a server's answer to RCPT,
// for DNS, for a TLS handshake.
constexpr Duration patience_with_idle_reader = std::chrono::seconds(3);
constexpr Duration patience_with_reader = std::chrono::seconds(5);
constexpr Duration patience_without_content = std::chrono::seconds(5);

}  // namespace

Session::Session(Host& host, std::shared_ptr<const WorkerSnapshot> snapshot, const Listener& listener,
                 std::unique_ptr<io::Stream> stream, SocketAddress peer, SocketAddress local)
    : host_(host),
      snapshot_(std::move(snapshot)),
      listener_(listener),
      peer_(peer),
      destination_(local),
      began_(host.scheduler.now()),
      channel_(host.scheduler, std::move(stream), longest_line(settings())),
      sequence_(listener.settings.tls == config::ListenTls::starttls && listener.tls != nullptr,
                listener.settings.require_tls),
      in_phase_since_(began_),
      background_(host.scheduler) {
  begin_checks();
  connection_.id = host_.ids.next(host_.clock.wall_now());
  // Where there is one tenant, it is whose mail this will be.
  const auto& tenants = snapshot_->plans->plans().tenants;
  if (tenants.size() == 1) connection_.tenant.name = tenants.begin()->first;
  connection_.client.ip = peer.ip;
  connection_.client.port = peer.port;
  connection_.listener = listener.settings.address;
  host_.counters.add(Total::connections);
  host_.counters.add(Gauge::sessions, 1);
}

Session::~Session() {
  record_cut_mail();
  host_.counters.add(Gauge::sessions, -1);
  if (connection_.client.tls) host_.counters.add(Gauge::tls_sessions, -1);
}

Task<void> Session::run() {
  std::exception_ptr mistake;
  try {
    // The whole dialogue, in this frame: thousands of sessions wait here, and every frame around the wait costs each.
    Flow flow = co_await begin();
    while (flow == Flow::next) flow = co_await next_command();
  } catch (...) {
    mistake = std::current_exception();
  }
  try {
    close_books(mistake);
    enter(Phase::ending);
    co_await channel_.say_last_words();
  } catch (...) {
    // Not even that: then without a word. Whatever else is wrong, the client may not take its mail for accepted.
    channel_.stream().abort();
  }
}

// A mistake of ours, or want of memory, ends this session; all others go on (threats.md I10, R7).
void Session::close_books(const std::exception_ptr& mistake) {
  if (mistake) {
    // U13: the upstream has the mail, or may have it, and the client that is not told will send it again.
    const bool is_untold =
        mail_ && mail_->delivery && mail_->delivery->end_was_written() && !mail_->is_recorded_unknown;
    if (is_untold) record_unknown_outcome();
    const std::string what = description_of(mistake);
    refuse(refusals::internal_error, {.detail = what});
  }
  end_mail();
}

Task<void> Session::break_off() {
  try {
    if (!said_goodbye_) break_off_mail();
    end_mail();
    enter(Phase::ending);
    if (!said_goodbye_) co_await channel_.say_last_words();
  } catch (...) {
    channel_.stream().abort();
  }
}

// However a session ends, each mail that was begun has its record: also where the end of its worker destroys run()
// before break_off() could be awaited.
void Session::record_cut_mail() noexcept {
  if (!mail_) return;
  try {
    if (!said_goodbye_) break_off_mail();
    end_mail();
  } catch (...) {
    host_.counters.add(Fault::log);  // there is no memory for the record
  }
}

void Session::break_off_mail() {
  const bool is_accepted = mail_ && mail_->decision && mail_->decision->code / 100 == 2;
  if (is_accepted) {  // U13: it is delivered, and the client may not know
    record::Decision decision = *mail_->decision;
    decision.detail = gave_way_ ? "the client has not read the reply, and its place was wanted"
                                : "the gateway was stopped before the client had the reply";
    decide(std::move(decision), Fault::reply_lost);
    return;
  }
  if (mail_ && mail_->delivery && mail_->delivery->end_was_written() && !mail_->is_recorded_unknown) {
    mail_->upstream = mail_->delivery->server_name();
    record_unknown_outcome();
  }
  refuse(gave_way_ ? refusals::idle : refusals::shutting_down);
}

void Session::begin_checks() {
  checks_.emplace(services_of(host_, settings()), snapshot_->plans, [this] { record(Violation::dns_budget); });
}

// Up to and with our greeting.
Task<Flow> Session::begin() {
  if (is_in(peer_.ip, listener_.settings.proxy_protocol_from) && co_await read_proxy_header() == Flow::end) {
    co_return Flow::end;
  }
  may_introduce_ = is_in(connection_.client.ip, listener_.settings.xclient_from);
  if (may_introduce_) sequence_.offer(Verb::xclient);
  recognise_client();
  slot_ = host_.slots.take(connection_.client.ip, share_of_client());
  if (is_stopping()) co_return refuse(refusals::shutting_down_at_connect);
  if (!slot_) co_return refuse(refusals::too_many_sessions);
  const bool is_scarce = host_.pressure.level_for_one_inside() != io::Pressure::Level::none;
  if (is_scarce && !connection_.client.is_trusted) co_return refuse(refusals::overloaded_at_connect);
  if (listener_.settings.tls == config::ListenTls::implicit) {
    auto secured = co_await secure();
    if (!secured) co_return Flow::end;
    sequence_.tls_established();
  }
  co_return co_await greet() ? Flow::next : Flow::end;
}

void Session::recognise_client() {
  connection_.client.is_trusted = is_in(connection_.client.ip, settings().trusted.networks);
}

io::SessionSlots::Share Session::share_of_client() const {
  const bool is_free = speaks_for_itself() || is_unlimited(connection_.client, snapshot_->plans->plans());
  return is_free ? io::SessionSlots::Share::unlimited : io::SessionSlots::Share::limited;
}

Task<bool> Session::admit() {
  if (speaks_for_itself()) co_return true;
  const checks::Disposition disposition = co_await checks_->connected(connection_);
  if (!disposition.refuses()) co_return true;
  apply(disposition, Stage::connect);
  co_return false;
}

void Session::queue_greeting() { channel_.queue(Reply(220, "", settings().hostname + " ESMTP Sallyport")); }

Task<bool> Session::greet() {
  enter(Phase::connecting);
  if (!co_await admit()) co_return false;
  queue_greeting();
  auto sent = co_await channel_.flush(now() + reply_patience);
  co_return sent.ok();
}

Task<Flow> Session::next_command() {
  if (is_stopping() && is_idle()) co_return refuse(refusals::shutting_down);
  waiting_for_command_ = true;
  enter(Phase::command);
  const Time since = now();
  auto line = co_await channel_.next_line(command_deadline());
  waiting_for_command_ = false;
  enter(Phase::working);
  if (mail_ && mail_->content_deadline) mail_->pace.waited(now() - since);
  if (said_goodbye_) co_return Flow::end;
  if (!line && is_stopping() && is_idle()) co_return refuse(refusals::shutting_down);
  if (!line) co_return handle_lost_client(line.error());
  if (!sequence_.is_greeted() && smtp::is_tls_record(channel_.stream().input())) {
    record(Violation::non_smtp);
    co_return Flow::end;
  }
  switch (line->kind) {
    case smtp::LineEvent::Kind::bad:
      co_return refuse(refusals::unclean_line);
    case smtp::LineEvent::Kind::flood:
      co_return refuse(refusals::endless_line);
    case smtp::LineEvent::Kind::too_long:
    case smtp::LineEvent::Kind::line:
      break;
  }
  const bool is_whole = line->kind == smtp::LineEvent::Kind::line;
  if (is_whole && !sequence_.is_greeted() && speaks_another_protocol(line->text)) {
    co_return refuse(refusals::other_protocol);
  }
  smtp::Command command = smtp::parse_command(line->text);
  const Verb verb = command.verb;
  // First of all, because it holds whatever else is wrong with the line.
  if (const Refusal* refusal = objection_to_input_behind(verb)) co_return refuse(*refusal, {.what = smtp::name(verb)});
  // S30 before S11: a chunk follows, and nobody knows how long it is.
  if (!is_whole) co_return refuse(verb == Verb::bdat ? refusals::bdat_syntax : refusals::long_line);
  const bool may_hold_utf8 = (verb == Verb::mail || verb == Verb::rcpt) && !command.is_malformed;
  if (!may_hold_utf8 && verb != Verb::bdat && !text::is_ascii(line->text)) co_return refuse(refusals::not_ascii);
  co_return co_await obey(command);
}

// R19: a message that comes in chunks has one span of time, the waits between them included.
Time Session::command_deadline() const {
  const config::TimeoutSettings& timeouts = settings().timeouts;
  const Time deadline = now() + patience(sequence_.is_greeted() ? timeouts.command : timeouts.greeting);
  if (!mail_ || !mail_->content_deadline) return deadline;
  return std::min({deadline, *mail_->content_deadline, mail_->pace.deadline(now())});
}

Duration Session::patience(Duration span) const {
  const bool is_scarce = host_.pressure.level() != io::Pressure::Level::none;
  return is_scarce ? std::min(span, settings().timeouts.under_pressure) : span;
}

// What it has not read counts like what it has not sent: in either case its place is of no use.
bool Session::gives_way() {
  if (said_goodbye_) return false;
  const std::optional<Time> since = channel_.waiting_since() ? channel_.waiting_since() : channel_.flushing_since();
  if (since && now() - *since >= settings().timeouts.under_pressure) gave_way_ = true;
  return gave_way_;
}

// By value: it points into the input, so no step may look at it after a wait.
Task<Flow> Session::obey(smtp::Command command) {
  const Verb verb = command.verb;
  verb_ = verb;
  if (verb == Verb::unknown) co_return refuse(refusals::unknown_command);
  // Of BDAT even a refused one must be read to its end.
  if (verb == Verb::bdat) co_return co_await on_bdat(command);
  const Permission permission = sequence_.may(verb);
  if (permission != Permission::go) co_return on_refused(permission, verb);
  switch (verb) {
    case Verb::mail:
      co_return co_await on_mail(command);
    case Verb::rcpt:
      co_return co_await on_rcpt(command);
    default:
      break;
  }
  if (command.is_malformed) co_return refuse(refusals::malformed_command, {.what = smtp::name(verb)});
  switch (verb) {
    case Verb::helo:
    case Verb::ehlo:
      co_return co_await on_hello(command);
    case Verb::starttls:
      co_return co_await on_starttls();
    case Verb::xclient:
      co_return co_await on_xclient(command);
    case Verb::data:
      co_return co_await on_data();
    default:
      co_return co_await on_simple(verb);
  }
}

// S17, S35: the balancer's binary header begins with an empty line, so the line alone does not tell it.
bool Session::speaks_another_protocol(std::string_view first_line) const {
  return smtp::is_other_protocol(first_line) || smtp::is_proxy_header(channel_.stream().input());
}

// S13: what has arrived behind a command whose reply decides what comes next was not meant for that reply. Taken for
// commands, the content behind a DATA that is refused would be a dialogue of the content's author. After EHLO, MAIL,
// RCPT, BDAT and RSET may be pipelined; after HELO, nothing.
//
// S14, RFC 3207, 4.2: nothing learned before TLS counts. Octets waiting behind STARTTLS came in the clear, perhaps from
// someone in the middle; read after the handshake, they would pass for octets that came through TLS.
const Refusal* Session::objection_to_input_behind(Verb verb) const {
  if (!channel_.has_unread_input()) return nullptr;
  switch (verb) {
    case Verb::starttls:
      return &refusals::input_behind_starttls;
    case Verb::helo:
    case Verb::ehlo:
    case Verb::data:
      return &refusals::input_behind;
    default:
      return sequence_.is_greeted() && !sequence_.is_extended() ? &refusals::pipelined : nullptr;
  }
}

Flow Session::handle_lost_client(io::Error error) {
  if (error == io::Error::timed_out && mail_ && mail_->content_deadline && mail_->pace.is_too_slow()) {
    const std::string pace = mail_->pace.describe();
    return refuse(refusals::slow_content, {.because = pace});
  }
  if (error == io::Error::timed_out) return refuse(refusals::idle);
  const bool broke_tls = error == io::Error::tls;  // a record that is none, an alert, too many renegotiations
  // A client that hangs up after it was refused loses nothing: it was refused.
  const bool was_decided = mail_ && mail_->decision && sequence_.recipients() == 0;
  if (!mail_ || was_decided) {
    if (broke_tls) record(Violation::tls_error);
    return Flow::end;
  }
  // T11: under TLS nothing but a broken connection ends a message in its middle by itself. Whatever else does, be it
  // the client's own close_notify, may be the doing of somebody who wants less of it to arrive.
  const bool was_cut_off = mail_->message && connection_.client.tls && error != io::Error::reset;
  record::Incident kind = broke_tls ? record::Incident(Violation::tls_error) : record::Incident(Fault::client_lost);
  if (was_cut_off) kind = Violation::tls_truncated;
  record::Decision decision;
  decision.stage = mail_->stage();
  decision.detail = io::name(error);
  decide(std::move(decision), kind);
  return Flow::end;
}

bool Session::is_idle() const { return !mail_ || !mail_->message; }

// While the session waits for a command its coroutine sits in a read: this coroutine says the farewell beside it, and
// closes the stream, which ends that read. A session that is writing its replies goes on to the farewell by itself.
Task<void> Session::say_goodbye() {
  said_goodbye_ = true;
  try {
    refuse(refusals::shutting_down);
    co_await channel_.say_last_words();
  } catch (const std::exception&) {
    channel_.stream().close();
  }
}

// A client that does not read its replies holds the end up no longer than this.
Task<void> Session::end_unread() {
  co_await async::sleep_for(host_.scheduler, patience_with_idle_reader);
  if (is_idle() && channel_.is_flushing()) channel_.stream().abort();
}

bool Session::holds_up_for_nothing() const {
  if (!is_stopping()) return false;
  const Time since = std::max(*stop_requested_at_, channel_.flushing_since().value_or(*stop_requested_at_));
  if (channel_.is_flushing()) return now() - since >= (is_idle() ? patience_with_idle_reader : patience_with_reader);
  return is_idle() && now() - since >= patience_without_content;
}

void Session::request_stop() {
  if (is_stopping()) return;
  stop_requested_at_ = now();
  if (!is_idle()) return;
  const bool is_flushing = channel_.is_flushing();
  if (is_flushing) channel_.wait_no_more();
  if (!is_flushing && !waiting_for_command_) return;
  try {
    background_.spawn(is_flushing ? end_unread() : say_goodbye());
  } catch (const std::bad_alloc&) {
    channel_.stream().close();  // then without a word
  }
}

}  // namespace sallyport::session
