// MAIL (RFC 5321, 4.1.1.2; parameters of RFC 1870, 6152, 6531, 3461).
#include "gateway/base/text.h"
#include "gateway/session/session.h"

namespace sallyport::session {

using smtp::Reply;

Task<Flow> Session::on_mail(const smtp::Command& command) {
  if (command.is_malformed) co_return error(Violation::syntax, 501, "5.5.4", "Syntax: MAIL FROM:<address>");
  auto path = smtp::parse_path(command.arguments, smtp::PathKind::reverse, smtp::asks_for_smtputf8(command.arguments));
  if (!path) co_return error(refusal_of(path.error(), smtp::PathKind::reverse));
  if (!text::is_ascii(path->rest)) co_return error(Violation::nonascii, 500, "5.5.2", "Only ASCII is allowed here");
  auto parameters = smtp::parse_mail_parameters(path->rest, offered_);
  if (!parameters) co_return error(refusal_of(parameters.error()));
  if (path->path.needs_utf8() && !parameters->smtputf8) {  // S11: SMTPUTF8 was said, but not as a parameter
    co_return error(refusal_of(smtp::PathError::needs_utf8, smtp::PathKind::reverse));
  }
  if (parameters->size && *parameters->size > max_size()) {
    co_return error(Violation::size, 552, "5.3.4", "Message is larger than " + std::to_string(max_size()) + " octets");
  }

  mail_ = std::make_unique<MailState>();
  mail_->began = now();
  mail_->from = std::move(path->path);
  mail_->parameters = std::move(*parameters);
  policies::Transaction& mail = mail_->facts_of;
  mail = about_;
  mail.now = host_.clock.wall_now();
  mail.id = host_.ids.next(mail.now);
  mail.from = policies::EnvelopeAddress{mail_->from.local, mail_->from.domain, mail_->from.to_string()};
  mail.declared_size = mail_->parameters.size;
  mail.smtputf8 = mail_->parameters.smtputf8;
  host_.counters.add(Total::transactions);

  if (checks_.any()) {
    policies::Verdict verdict = co_await checks_.mail_begun(mail);
    // The client's name was looked up beside the dialogue; from here on it is known.
    if (const policies::RdnsFacts& rdns = checks_.facts().rdns; rdns.result == policies::AuthResult::pass) {
      about_.client.rdns = rdns.name;
      about_.client.fcrdns = true;
      mail.client = about_.client;
    }
    if (verdict.action >= policies::Action::tempfail) {
      Flow flow = apply(verdict, policies::Stage::mail);
      end_mail();
      co_return flow;
    }
  }
  sequence_.mail_accepted();
  co_return say(Reply(250, "2.1.0", "Ok"));
}

}  // namespace sallyport::session
