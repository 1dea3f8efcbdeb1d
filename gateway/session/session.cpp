#include "gateway/session/session.h"

#include <algorithm>
#include <exception>
#include <new>

#include "gateway/base/text.h"
#include "gateway/session/verdict_reply.h"
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

// In words of ours, never a peer's.
std::string description_of(const std::exception_ptr& mistake) {
  try {
    std::rethrow_exception(mistake);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown";
  }
}

}  // namespace

Session::Session(Host& host, const Door& door, std::unique_ptr<io::Stream> stream, SocketAddress peer)
    : host_(host),
      door_(door),
      settings_(host.settings),
      peer_(peer),
      channel_(host.scheduler, std::move(stream), longest_line(*host.settings)),
      sequence_(door.settings.tls == config::ListenTls::starttls && door.tls != nullptr, door.settings.require_tls),
      checks_(host, [this](Violation kind) { record(kind); }),
      errands_(host.scheduler) {
  about_.id = host_.ids.next(host_.clock.wall_now());
  about_.client.ip = peer.ip;
  about_.client.port = peer.port;
  host_.counters.add(Total::connections);
  host_.counters.add(Gauge::sessions, 1);
}

Session::~Session() {
  host_.counters.add(Gauge::sessions, -1);
  if (about_.client.tls) host_.counters.add(Gauge::tls_sessions, -1);
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
    bool is_untold = mail_ && mail_->delivery && mail_->delivery->end_was_written() && !mail_->is_recorded_unknown;
    if (is_untold) record_unknown_outcome();
    Reply reply(421, "4.3.0", settings().hostname + " Internal error, closing connection");
    part(Fault::internal, reply, description_of(mistake));
  }
  end_mail();
}

// Up to and with our greeting.
Task<Flow> Session::begin() {
  for (const IpNetwork& balancer : door_.settings.proxy_protocol_from) {
    if (!balancer.contains(peer_.ip)) continue;
    if (co_await read_proxy_header() == Flow::end) co_return Flow::end;
    break;
  }
  slot_ = host_.slots.take(about_.client.ip);
  if (!slot_ || stopping_) {
    Reply reply = refusal(421, "4.7.0", settings().hostname + " Too many connections", about_.id);
    if (stopping_) reply = Reply(421, "4.3.2", settings().hostname + " Shutting down");
    if (!stopping_) host_.counters.add(Violation::session_limit);
    write_connection_line("tempfail", "connect", stopping_ ? "shutdown" : name(Violation::session_limit), reply);
    // Before a handshake nobody would understand it.
    if (door_.settings.tls != config::ListenTls::implicit) channel_.queue(reply);
    co_return Flow::end;
  }
  if (door_.settings.tls == config::ListenTls::implicit) {
    auto secured = co_await secure();
    if (!secured) co_return Flow::end;
    sequence_.tls_established();
  }
  co_return co_await greet() ? Flow::next : Flow::end;
}

Task<bool> Session::greet() {
  if (checks_.any()) {
    policies::Verdict verdict = co_await checks_.connected(about_);
    if (verdict.action >= policies::Action::tempfail) {
      Reply reply = reply_for(verdict, about_.id);
      write_connection_line(policies::name(verdict.action), "connect", verdict.check, reply, verdict.because);
      if (verdict.action != policies::Action::drop) channel_.queue(reply);
      co_return false;
    }
  }
  channel_.queue(Reply(220, "", settings().hostname + " ESMTP Sallyport"));
  auto sent = co_await channel_.flush(now() + reply_patience);
  co_return sent.ok();
}

Task<Flow> Session::next_command() {
  if (stopping_ && is_idle()) co_return shut_down();
  const config::TimeoutSettings& timeouts = settings().timeouts;
  waiting_for_command_ = true;
  auto line = co_await channel_.next_line(now() + (sequence_.is_greeted() ? timeouts.command : timeouts.greeting));
  waiting_for_command_ = false;
  if (said_goodbye_) co_return Flow::end;
  if (!line && stopping_ && is_idle()) co_return shut_down();
  if (!line) co_return handle_lost_client(line.error());
  if (!sequence_.is_greeted() && smtp::is_tls_record(channel_.stream().input())) {
    record(Violation::non_smtp);
    co_return Flow::end;
  }
  switch (line->kind) {
    case smtp::LineEvent::Kind::bad:
      co_return error_and_close(Violation::bad_line, 500, "5.5.2", "Bare CR, bare LF or NUL in a command line");
    case smtp::LineEvent::Kind::flood:
      co_return error_and_close(Violation::line_long, 500, "5.5.2", "Line too long");
    case smtp::LineEvent::Kind::too_long:
      co_return error(Violation::line_long, 500, "5.5.2", "Line too long");
    case smtp::LineEvent::Kind::line:
      break;
  }
  if (!sequence_.is_greeted() && speaks_another_protocol(line->text)) {
    co_return error_and_close(Violation::non_smtp, 554, "5.5.1", "This is an SMTP server");
  }
  smtp::Command command = smtp::parse_command(line->text);
  bool may_hold_utf8 = (command.verb == Verb::mail || command.verb == Verb::rcpt) && !command.is_malformed;
  if (!may_hold_utf8 && !text::is_ascii(line->text)) {
    co_return error(Violation::nonascii, 500, "5.5.2", "Only ASCII is allowed here");
  }
  co_return co_await obey(command);
}

// By value: it points into the input, so no step may look at it after a wait.
Task<Flow> Session::obey(smtp::Command command) {
  Verb verb = command.verb;
  if (has_pipelined_against_the_rules() && verb != Verb::starttls) {  // that one has a graver name for it
    co_return error_and_close(Violation::sync, 554, "5.5.0", "Commands were pipelined against the rules");
  }
  if (verb == Verb::unknown) co_return error(Violation::bad_command, 500, "5.5.1", "Unknown command");
  // Of BDAT even a refused one must be read to its end.
  if (verb == Verb::bdat) co_return co_await on_bdat(command);
  Permission permission = sequence_.may(verb);
  if (permission != Permission::go) co_return on_refused(permission, verb);
  switch (verb) {
    case Verb::mail:
      co_return co_await on_mail(command);
    case Verb::rcpt:
      co_return co_await on_rcpt(command);
    default:
      break;
  }
  if (command.is_malformed) {
    co_return error(Violation::syntax, 501, "5.5.4", std::string(smtp::name(verb)) + " is not said like that");
  }
  switch (verb) {
    case Verb::helo:
    case Verb::ehlo:
      co_return co_await on_hello(command);
    case Verb::starttls:
      co_return co_await on_starttls();
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

// S13: whoever runs ahead of HELO's reply does not speak SMTP; MAIL, RCPT, BDAT and RSET may be pipelined after EHLO.
bool Session::has_pipelined_against_the_rules() const {
  return sequence_.is_greeted() && !sequence_.is_extended() && channel_.has_unread_input();
}

Flow Session::handle_lost_client(io::Error error) {
  if (error == io::Error::timed_out) {
    return part(Violation::slow_client,
                Reply(421, "4.4.2", settings().hostname + " Idle for too long, closing connection"));
  }
  bool broke_tls = error == io::Error::tls;  // a record that is none, an alert, too many renegotiations
  // Who was refused and hangs up was refused; nothing was lost.
  bool was_decided = mail_ && !mail_->outcome.verdict.empty() && sequence_.recipients() == 0;
  if (!mail_ || was_decided) {
    if (broke_tls) record(Violation::tls_error);
    return Flow::end;
  }
  // T11: under TLS nothing but a broken connection ends a message in its middle by itself. Whatever else does, be it
  // the client's own close_notify, may be the doing of somebody who wants less of it to arrive.
  bool was_cut_off = mail_->message && about_.client.tls && error != io::Error::reset;
  Incident kind = broke_tls ? Incident(Violation::tls_error) : Incident(Fault::client_lost);
  if (was_cut_off) kind = Violation::tls_truncated;
  decide("drop", stage_of_mail(), kind, Reply(), io::name(error));
  return Flow::end;
}

bool Session::is_idle() const { return !mail_ || !mail_->message; }

Flow Session::shut_down() {
  Reply reply(421, "4.3.2", settings().hostname + " Shutting down");
  if (mail_) note("tempfail", stage_of_mail(), "shutdown", reply);
  channel_.queue(reply);
  return Flow::end;
}

// While the session waits for a command its coroutine sits in a read: the farewell is said beside it, and closing the
// stream ends that read. One that is writing its replies goes on to that end by itself.
Task<void> Session::say_goodbye() {
  said_goodbye_ = true;
  try {
    shut_down();
    co_await channel_.say_last_words();
  } catch (const std::exception&) {
    channel_.stream().close();
  }
}

void Session::request_stop() {
  if (stopping_) return;
  stopping_ = true;
  if (!waiting_for_command_ || !is_idle()) return;
  if (channel_.is_flushing()) return channel_.wait_no_more();
  try {
    errands_.spawn(say_goodbye());
  } catch (const std::bad_alloc&) {
    channel_.stream().close();  // then without a word
  }
}

// ---- replies ----

Flow Session::say(const Reply& reply) {
  channel_.queue(reply);
  return Flow::next;
}

Flow Session::part(Incident kind, const Reply& reply, std::string_view detail) {
  if (mail_) {
    decide(reply.is_temporary() ? "tempfail" : "reject", stage_of_mail(), kind, reply, detail);
  } else {
    record(kind, detail);
  }
  channel_.queue(reply);
  return Flow::end;
}

Flow Session::count_error() {
  if (++errors_ < settings().limits.errors_per_session) return Flow::next;
  return part(Violation::error_limit,
              Reply(421, "4.7.0", settings().hostname + " Too many errors, closing connection"));
}

Flow Session::error(Violation kind, int code, std::string_view enhanced, std::string_view text) {
  record(kind);
  channel_.queue(Reply(code, enhanced, text));
  return count_error();
}

Flow Session::error_and_close(Violation kind, int code, std::string_view enhanced, std::string_view text) {
  return part(kind, Reply(code, enhanced, text));
}

// S18: commands that lead nowhere are free for a while.
Flow Session::junk() {
  if (++junk_ <= settings().limits.junk_commands) return Flow::next;
  record(Violation::junk_flood);
  return count_error();
}

Flow Session::refuse_mail(std::string_view stage, std::string_view check, const Reply& reply) {
  note(reply.is_temporary() ? "tempfail" : "reject", stage, check, reply);
  return say(reply);
}

// A verdict on the mail or one of its recipients, said to the client. Drop says nothing and closes.
Flow Session::apply(const policies::Verdict& verdict, Stage stage) {
  bool is_silent = verdict.action == policies::Action::drop;
  Reply reply = is_silent ? Reply() : reply_for(verdict, mail_ ? mail_->facts_of.id : about_.id);
  if (mail_) {
    note(policies::name(verdict.action), policies::name(stage), verdict.check, reply);
    mail_->outcome.rule = verdict.rule;
    mail_->outcome.because = verdict.because;
  } else {
    write_connection_line(policies::name(verdict.action), policies::name(stage), verdict.check, reply, verdict.because);
  }
  if (is_silent) return Flow::end;
  channel_.queue(reply);
  return verdict.close ? Flow::end : Flow::next;
}

}  // namespace sallyport::session
