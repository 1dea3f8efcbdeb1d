// HELO and EHLO (RFC 5321, 4.1.1.1), and what we offer (contract.md, section 4).
#include <utility>

#include "gateway/base/text.h"
#include "gateway/session/session.h"

namespace sallyport::session {

smtp::Extensions Session::offer() const {
  smtp::Extensions own;
  own.pipelining = true;
  own.size = true;
  own.max_size = settings().limits.message_size;
  own.enhanced_status_codes = true;
  own.chunking = true;
  // These we carry, but only an upstream can honour them: the board leaves what all of them have.
  own.eight_bit_mime = true;
  own.smtputf8 = true;
  own.dsn = true;
  own.requiretls = sequence_.in_tls();  // RFC 8689, 4.2.1: never in the clear
  own.rcpt_max = settings().limits.recipients;
  own.starttls = door_.settings.tls == config::ListenTls::starttls && door_.tls && !sequence_.in_tls();
  return host_.board.offer(own);
}

// The smaller of our own limit and the upstreams', once EHLO has said it.
std::uint64_t Session::max_size() const {
  return offered_.max_size != 0 ? offered_.max_size : settings().limits.message_size;
}

Task<Flow> Session::on_hello(const smtp::Command& command) {
  constexpr std::string_view too_early = "Nothing may follow EHLO before its reply";
  bool extended = command.verb == smtp::Verb::ehlo;
  auto name = smtp::parse_greeting(command.arguments);
  if (!name && name.error() == smtp::GreetingError::missing) {
    co_return error(Violation::syntax, 501, "5.5.4", "A host name is needed");
  }
  if (!name) co_return error(Violation::syntax, 501, "5.5.2", "That is no host name");
  // Copied before any wait: the line lies in the input.
  std::string helo(*name);
  if (channel_.has_unread_input()) co_return error_and_close(Violation::sync, 554, "5.5.0", too_early);
  if (sequence_.is_greeted() && junk() == Flow::end) co_return Flow::end;
  end_mail();
  std::string helo_before = std::exchange(about_.client.helo, std::move(helo));
  bool extended_before = std::exchange(about_.client.extended, extended);
  if (checks_.any()) {
    policies::Verdict verdict = co_await checks_.greeted(about_);
    if (verdict.action >= policies::Action::tempfail) {
      Flow flow = apply(verdict, policies::Stage::helo);
      // What is refused was not said: the greeting before it, if there was one, still holds.
      about_.client.helo = std::move(helo_before);
      about_.client.extended = extended_before;
      co_return flow;
    }
    if (channel_.has_unread_input()) co_return error_and_close(Violation::sync, 554, "5.5.0", too_early);
  }
  std::string shown = text::for_header(about_.client.helo);
  if (shown != about_.client.helo) record(Violation::hdr_inject);  // S37
  sequence_.greeted(extended);
  offered_ = extended ? offer() : smtp::Extensions{};
  std::string greeting = settings().hostname + " greets " + shown;
  if (!extended) co_return say(smtp::Reply(250, "", greeting));
  std::vector<std::string> lines = smtp::to_ehlo_lines(offered_);
  lines.insert(lines.begin(), std::move(greeting));
  co_return say(smtp::Reply(250, "", std::move(lines)));
}

}  // namespace sallyport::session
