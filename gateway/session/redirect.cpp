// A mail that goes elsewhere, or to others, than its recipients were accepted for: a verdict on its content sends it to
// another upstream (sp.redirect), or milters have changed its sender or its recipients.
//
// The transaction in which the recipients were accepted is undone, and one with the final envelope is opened before any
// content is sent. All recipients must be accepted there: the client gets one answer for all (threats.md S22, F4), so a
// refusal of any of them is the mail's, and for now where their classes differ.
#include <algorithm>
#include <utility>

#include "gateway/checks/changes.h"
#include "gateway/session/session.h"
#include "gateway/smtp/path.h"

namespace sallyport::session {

namespace {

// What is said of a recipient as a rule, said of the whole mail.
Refusal of_mail(Refusal refusal) {
  refusal.about = About::mail;
  return refusal;
}

// The policy lets no path through that is none.
MailAddress address_of(const std::string& path, smtp::PathKind kind, bool utf8) {
  auto parsed = smtp::parse_path(path, kind, utf8);
  ensure(parsed.ok(), "a milter's address that was not checked");
  return std::move(parsed->path);
}

// A milter may say what of the extensions for delivery reports is wanted, whatever the client was offered.
smtp::Extensions with_reports() {
  smtp::Extensions offered;
  offered.dsn = true;
  return offered;
}

smtp::RcptParameters rcpt_parameters_of(const std::string& words) {
  auto parsed = smtp::parse_rcpt_parameters(words.empty() ? words : " " + words, with_reports());
  return parsed ? std::move(*parsed) : smtp::RcptParameters();
}

// Of the sender's parameters only those for delivery reports: the others are about the content.
void add_parameters(const std::string& words, smtp::MailParameters& parameters) {
  auto parsed = smtp::parse_mail_parameters(words.empty() ? words : " " + words, with_reports());
  if (!parsed) return;
  if (!parsed->ret.empty()) parameters.ret = parsed->ret;
  if (!parsed->envid.empty()) parameters.envid = parsed->envid;
}

}  // namespace

bool Session::keeps_envelope() const {
  const std::string_view target = checks::redirect(checks_->verdicts());
  const bool stays = target.empty() || target == mail_->transaction.route.upstream;
  return stays && checks::envelope_changes(checks_->verdicts()).is_empty();
}

Session::FinalEnvelope Session::final_envelope() const {
  const policies::Transaction& mail = mail_->transaction;
  const checks::EnvelopeChanges changes = checks::envelope_changes(checks_->verdicts());
  FinalEnvelope envelope{*mail.from, mail_->parameters, {}, {}};
  const bool utf8 = mail_->parameters.smtputf8;
  const auto is_removed = [&changes](const MailAddress& rcpt) {
    const std::string path = "<" + rcpt.to_string() + ">";
    return std::find(changes.removed.begin(), changes.removed.end(), path) != changes.removed.end();
  };
  for (std::size_t i = 0; i < mail.rcpts.size(); ++i) {
    if (is_removed(mail.rcpts[i])) continue;
    const auto given = mail_->accepted_parameters.find(i);
    const bool has_none = given == mail_->accepted_parameters.end();
    envelope.rcpts.emplace_back(mail.rcpts[i], has_none ? smtp::RcptParameters() : given->second);
  }
  for (const milter::EnvelopeRcpt* rcpt : changes.added) {
    MailAddress address = address_of(rcpt->path, smtp::PathKind::forward, utf8);
    const bool is_there = std::any_of(envelope.rcpts.begin(), envelope.rcpts.end(),
                                      [&address](const auto& known) { return known.first == address; });
    if (!is_there) envelope.rcpts.emplace_back(std::move(address), rcpt_parameters_of(rcpt->parameters));
  }
  if (changes.sender != nullptr) {
    envelope.from = address_of(changes.sender->path, smtp::PathKind::reverse, utf8);
    add_parameters(changes.sender->parameters, envelope.parameters);
  }
  if (!changes.is_empty()) envelope.because = "the envelope was changed by " + changes.by;
  const std::string_view target = checks::redirect(checks_->verdicts());
  if (!target.empty() && target != mail.route.upstream) envelope.because = "redirected to " + std::string(target);
  return envelope;
}

Task<std::optional<Flow>> Session::open_anew(FinalEnvelope envelope, bool has_8bit, Time deadline) {
  const std::string& because = envelope.because;
  policies::Transaction& mail = mail_->transaction;
  if (const std::string target(checks::redirect(checks_->verdicts())); !target.empty()) {
    if (!mail_->plan->may_go_to(target)) {
      co_return refuse(of_mail(refusals::foreign_upstream), {.because = because});
    }
    mail.route.upstream = target;
  }
  if (upstream_group().takes_one_recipient && envelope.rcpts.size() > 1) {
    co_return refuse(refusals::redirect_takes_one_recipient, {.because = because});
  }
  begin_delivery(envelope.from, envelope.parameters);
  mail_->delivery->answer_by(deadline);

  std::optional<smtp::UpstreamReply> refusal;
  for (const auto& [rcpt, parameters] : envelope.rcpts) {
    const bool is_news = !mail_->delivery->has_failed();
    auto answer = co_await mail_->delivery->recipient(rcpt, parameters);
    record_passed_over_servers();
    mail_->upstream = mail_->delivery->server_name();
    if (const auto untold = mail_->delivery->take_untold()) record(Fault::client_info, *untold);
    if (!answer) co_return explain_failure(answer.error(), is_news);
    if (answer->is_positive()) continue;
    const bool is_milder = refusal && refusal->is_permanent() && answer->is_temporary();
    if (!refusal || is_milder) refusal = std::move(*answer);
    if (!mail_->delivery->is_mail_accepted()) break;  // it is about the mail, and holds for each of them
  }
  const smtp::Extensions* can = mail_->delivery->extensions();
  if (refusal) {
    // S11, T12: found out without asking the server.
    const bool lacks_smtputf8 = mail_->parameters.smtputf8 && can != nullptr && !can->smtputf8;
    if (lacks_smtputf8) co_return refuse(of_mail(refusals::no_smtputf8_behind), {.because = because});
    if (mail_->delivery->lacks_required_tls()) {
      co_return refuse(of_mail(refusals::no_requiretls_behind), {.because = because});
    }
    co_return refuse(refusals::mail_by_upstream, smtp::pass_on(*refusal), {.because = because});
  }
  if (mail_->parameters.body == smtp::Body::eight_bit_mime && has_8bit && can != nullptr && !can->eight_bit_mime) {
    co_return refuse(refusals::no_8bitmime_behind, {.because = because});
  }
  co_return std::nullopt;
}

}  // namespace sallyport::session
