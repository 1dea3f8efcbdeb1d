// MAIL (RFC 5321, 4.1.1.2; parameters of RFC 1870, 6152, 6531, 3461).
#include "gateway/base/text.h"
#include "gateway/session/session.h"

namespace sallyport::session {

using smtp::Reply;

Task<Flow> Session::on_mail(const smtp::Command& command) {
  if (command.is_malformed) co_return refuse(refusals::mail_syntax);
  auto path = smtp::parse_path(command.arguments, smtp::PathKind::reverse, smtp::asks_for_smtputf8(command.arguments));
  if (!path) co_return refuse(refusal_of(path.error(), smtp::PathKind::reverse));
  if (!text::is_ascii(path->rest)) co_return refuse(refusals::not_ascii);
  auto parameters = smtp::parse_mail_parameters(path->rest, offered_);
  if (!parameters) co_return refuse(refusal_of(parameters.error()));
  if (path->path.needs_utf8() && !parameters->smtputf8) {  // S11: SMTPUTF8 was said, but not as a parameter
    co_return refuse(refusal_of(smtp::PathError::needs_utf8, smtp::PathKind::reverse));
  }
  if (parameters->size && *parameters->size > max_size()) {
    const std::string most = std::to_string(max_size());
    co_return refuse(refusals::declared_size, {.what = most});
  }

  std::string words(path->rest);  // before any wait: the line lies in the input
  mail_ = std::make_unique<MailState>(host_.counters);
  mail_->snapshot = host_.snapshot;
  mail_->pace = ContentPace(mail_settings());
  mail_->began = now();
  mail_->parameters = std::move(*parameters);
  policies::Transaction& mail = mail_->transaction;
  mail = connection_;
  mail.now = host_.clock.wall_now();
  mail.is_clock_suspect = host_.clock.is_suspect();
  mail.id = host_.ids.next(mail.now);
  mail.from = std::move(path->path);
  mail.declared_size = mail_->parameters.size;
  mail.smtputf8 = mail_->parameters.smtputf8;
  mail.mail_parameters = std::move(words);
  host_.counters.add(Total::transactions);
  if (host_.pressure.level_for_one_inside() == io::Pressure::Level::full) {
    const Flow flow = refuse(refusals::overloaded);
    end_mail();
    co_return flow;
  }

  const config::TimeoutSettings& timeouts = mail_settings().timeouts;
  checks_->set_limits(timeouts.policy, mail_settings().limits.dns_per_message, time_outside(timeouts));
  const checks::Disposition disposition = co_await checks_->mail_begun(mail, mail_->snapshot->plans);
  learn_client_name();
  if (disposition.refuses()) {
    const Flow flow = apply(disposition, policies::Stage::mail);
    end_mail();
    co_return flow;
  }
  sequence_.mail_accepted();
  co_return say(Reply(250, "2.1.0", "Ok"));
}

// The client's name was looked up beside the dialogue; from MAIL on it is known, and from RCPT on it is what the
// tenant's settings have found.
void Session::learn_client_name() {
  policies::Client& client = mail_->transaction.client;
  const std::string& found = checks_->facts().tell().client_name;
  // What a front door has said of it holds where nothing was looked up.
  client.rdns = found.empty() ? connection_.client.rdns : found;
  client.fcrdns = !client.rdns.empty();
}

}  // namespace sallyport::session
