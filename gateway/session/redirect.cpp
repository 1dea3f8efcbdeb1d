// A mail that a verdict on its content sends to another upstream (sp.redirect).
//
// Its recipients were accepted by the server of its tenant. That transaction is undone, and one with the same
// recipients is opened with the other upstream before any content is sent. All of them must be accepted there: the
// client gets one answer for all (threats.md S22), so a refusal of any of them is the mail's, and for now where their
// classes differ.
#include <utility>

#include "gateway/checks/changes.h"
#include "gateway/session/session.h"

namespace sallyport::session {

namespace {

// What is said of a recipient as a rule, said of the whole mail.
Refusal of_mail(Refusal refusal) {
  refusal.about = About::mail;
  return refusal;
}

}  // namespace

bool Session::is_redirected() const {
  const std::string_view target = checks::redirect(checks_->verdicts());
  return !target.empty() && target != mail_->transaction.route.upstream;
}

// Nothing: the content may be sent.
Task<std::optional<Flow>> Session::move_to_redirect(bool has_8bit, Time deadline) {
  const std::string target(checks::redirect(checks_->verdicts()));
  const std::string because = "redirected to " + target;
  if (!mail_->plan->may_go_to(target)) {
    co_return refuse(of_mail(refusals::foreign_upstream), {.because = because});
  }
  policies::Transaction& mail = mail_->transaction;
  mail.route.upstream = target;
  if (upstream_group().takes_one_recipient && mail.rcpts.size() > 1) {
    co_return refuse(refusals::redirect_takes_one_recipient, {.because = because});
  }
  begin_delivery();
  mail_->delivery->answer_by(deadline);

  std::optional<smtp::UpstreamReply> refusal;
  for (std::size_t i = 0; i < mail.rcpts.size(); ++i) {
    const bool is_news = !mail_->delivery->has_failed();
    const auto given = mail_->accepted_parameters.find(i);
    const smtp::RcptParameters parameters =
        given == mail_->accepted_parameters.end() ? smtp::RcptParameters() : given->second;
    auto answer = co_await mail_->delivery->recipient(mail.rcpts[i], parameters);
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
