// HELO and EHLO (RFC 5321, 4.1.1.1), and what we offer (contract.md, section 4).
#include <utility>

#include "gateway/base/text.h"
#include "gateway/session/session.h"

namespace sallyport::session {

namespace {

// What we use of it.
constexpr smtp::AttributeSet xclient_offered = {smtp::ClientAttribute::name,    smtp::ClientAttribute::addr,
                                                smtp::ClientAttribute::port,    smtp::ClientAttribute::proto,
                                                smtp::ClientAttribute::helo,    smtp::ClientAttribute::destaddr,
                                                smtp::ClientAttribute::destport};

}  // namespace

smtp::Extensions Session::offer() const {
  smtp::Extensions own;
  own.pipelining = true;
  own.size = true;
  own.max_size = settings().limits.message_size;
  own.enhanced_status_codes = true;
  own.chunking = true;
  // These we carry, but only an upstream can honour them: offer() leaves those that all upstreams have.
  own.eight_bit_mime = true;
  own.smtputf8 = true;
  own.dsn = true;
  own.requiretls = sequence_.in_tls();  // RFC 8689, 4.2.1: never in the clear
  own.rcpt_max = settings().limits.recipients;
  if (may_introduce_) own.xclient = xclient_offered;
  own.starttls = listener_.settings.tls == config::ListenTls::starttls && listener_.tls && !sequence_.in_tls();
  return upstream::offer(snapshot_->shared->upstreams, own);
}

// What EHLO has promised holds. Without a promise: the mail's own limit.
std::uint64_t Session::max_size() const {
  if (offered_.max_size != 0) return offered_.max_size;
  return (mail_ ? mail_settings() : settings()).limits.message_size;
}

Task<Flow> Session::on_hello(const smtp::Command& command) {
  const smtp::Verb verb = command.verb;
  const bool extended = verb == smtp::Verb::ehlo;
  auto name = smtp::parse_greeting(command.arguments);
  if (!name) {
    co_return refuse(name.error() == smtp::GreetingError::missing ? refusals::no_host_name : refusals::bad_host_name);
  }
  // Copied before any wait: the line lies in the input.
  std::string helo(introduction_ && !introduction_->helo.empty() ? std::string_view(introduction_->helo) : *name);
  if (sequence_.is_greeted() && count_junk() == Flow::end) co_return Flow::end;
  end_mail();
  std::string helo_before = std::exchange(connection_.client.helo, std::move(helo));
  const bool extended_before =
      std::exchange(connection_.client.extended, introduction_ ? introduction_->extended.value_or(extended) : extended);
  const checks::Disposition disposition = co_await checks_->greeted(connection_);
  if (const Refusal* refusal = objection_to_input_behind(verb)) {  // it came meanwhile
    co_return refuse(*refusal, {.what = smtp::name(verb)});
  }
  if (disposition.refuses()) {
    const Flow flow = apply(disposition, policies::Stage::helo);
    // What is refused was not said: the greeting before it, if there was one, still holds.
    connection_.client.helo = std::move(helo_before);
    connection_.client.extended = extended_before;
    co_return flow;
  }
  std::string shown = text::for_header(connection_.client.helo);
  if (shown != connection_.client.helo) record(Violation::hdr_inject);  // S37
  sequence_.greeted(extended);
  offered_ = extended ? offer() : smtp::Extensions{};
  std::string greeting = settings().hostname + " greets " + shown;
  if (!extended) co_return say(smtp::Reply(250, "", greeting));
  std::vector<std::string> lines = smtp::to_ehlo_lines(offered_);
  lines.insert(lines.begin(), std::move(greeting));
  co_return say(smtp::Reply(250, "", std::move(lines)));
}

}  // namespace sallyport::session
