// The end of a message: what is wrong with it, what the policies say, and what the upstream says.
#include "gateway/base/text.h"
#include "gateway/checks/changes.h"
#include "gateway/checks/leaving_header.h"
#include "gateway/session/session.h"
#include "gateway/smtp/content_refusal.h"

namespace sallyport::session {

using policies::Action;
using policies::Stage;
using smtp::Reply;

Task<Flow> Session::end_of_data(smtp::ContentFaults faults) {
  // I12: from the client's end of data to our reply there is one budget, for scans and upstream together.
  const Time deadline = now() + mail_settings().timeouts.final_reply;
  enter(Phase::checking);
  mail_->intake->end();
  channel_.set_content_complete(true);

  Flow flow = Flow::next;
  if (!object_to_content(faults)) {
    const checks::Disposition disposition = co_await checks_->message(mail_->transaction);
    if (disposition.refuses()) {
      flow = apply(disposition, Stage::message);
    } else if (disposition.action == Action::discard) {
      flow = co_await discard(disposition);
    } else {
      flow = co_await hand_on(disposition, faults.has_8bit, deadline);
    }
  }
  if (mail_ && checks_->looks_back()) {
    // The client has its reply before rules look back at the mail. That it may be gone changes nothing for them.
    static_cast<void>(co_await channel_.flush(now() + reply_patience));
    co_await look_back();
  }
  end_mail();
  co_return flow;
}

// To whom it goes in the end, and with what content.
Task<Flow> Session::hand_on(const checks::Disposition& disposition, bool has_8bit, Time deadline) {
  if (keeps_envelope()) co_return co_await relay(disposition, deadline);
  FinalEnvelope envelope = final_envelope();
  if (envelope.rcpts.empty()) {  // milters have taken it from each of its recipients
    checks::Disposition nobody = disposition;
    nobody.action = Action::discard;
    nobody.reason = {"milters", {}, envelope.because + ", which leaves no recipient"};
    co_return co_await discard(nobody);
  }
  auto unmoved = co_await open_anew(std::move(envelope), has_8bit, deadline);
  co_return unmoved ? *unmoved : co_await relay(disposition, deadline);
}

// Rules of stage done see what became of the mail.
Task<void> Session::look_back() {
  if (mail_->decision) co_await checks_->done(mail_->transaction, word(mail_->decision->outcome));
}

// Judged at the message's true end only; a message is refused for one reason.
bool Session::object_to_content(const smtp::ContentFaults& faults) {
  const mail::Message& message = *mail_->message;
  const auto is_refused = [this](const Refusal& refusal) {
    refuse(refusal);
    return true;
  };
  if (message.is_over_limit()) return is_refused(refusals::message_too_large);
  if (message.has_failed()) return is_refused(refusals::spool_failed);
  std::optional<Violation> bare;
  if (faults.bare_cr) bare = Violation::bare_cr;
  if (faults.bare_lf) bare = Violation::bare_lf;
  if (faults.eod_lookalike) bare = Violation::eod_lookalike;
  const bool normalizes = listener_.settings.bare_newline == config::BareNewlinePolicy::normalize;
  auto unfit = smtp::refuse_content(faults, normalizes ? smtp::BareNewline::normalize : smtp::BareNewline::reject);
  if (unfit) {
    const Violation kind = faults.nul ? Violation::nul : faults.line_too_long ? Violation::line_long : *bare;
    const std::string text = unfit->text();
    return is_refused({.code = unfit->code(),
                       .dsn = unfit->enhanced(),
                       .text = text,
                       .about = About::mail,
                       .incident = kind,
                       .has_id = true});
  }
  if (const Refusal* refusal = objection_to_header(message, mail_settings())) return is_refused(*refusal);
  const smtp::Extensions* upstream = mail_->delivery->extensions();
  if (mail_->parameters.body == smtp::Body::eight_bit_mime && faults.has_8bit && upstream &&
      !upstream->eight_bit_mime) {
    return is_refused(refusals::no_8bitmime_behind);
  }
  if (bare) record(*bare);  // mended, and recorded all the same
  return false;
}

// The one 2xx that is ours: a rule decided it, and the client hears it only after the log has taken the record of it
// (I1), which is complete when rules have looked back.
Task<Flow> Session::discard(const checks::Disposition& disposition) {
  const Reply accepted = reply_with_id(250, "2.0.0", "Ok", id());
  const Reply not_recorded = reply_to(refusals::not_recorded);
  decide(decision_of(disposition, Stage::message, accepted));
  co_await look_back();
  co_return say(end_mail() ? accepted : not_recorded);
}

mail::OutgoingHeader Session::outgoing_header(const checks::Disposition& disposition) {
  mail::OutgoingHeader header = checks::leaving_header(*checks_, {.mail = mail_->transaction,
                                                                  .message = *mail_->message,
                                                                  .disposition = disposition,
                                                                  .hostname = mail_settings().hostname,
                                                                  .now = host_.clock.wall_now()});
  if (header.left_out_forged) record(Violation::ar_removed);
  return header;
}

Task<Flow> Session::relay(const checks::Disposition& disposition, Time deadline) {
  enter(Phase::relaying);
  const mail::Message* body = checks::new_body(checks_->verdicts());
  if (body != nullptr) {
    auto hashed = co_await checks_->body_replaced(*body);
    if (!hashed) co_return refuse(refusals::spool_failed);
  }
  const mail::OutgoingHeader header = outgoing_header(disposition);
  const bool is_news = !mail_->delivery->has_failed();
  auto answer = co_await mail_->delivery->content(header, body != nullptr ? *body : *mail_->message, deadline);
  record_passed_over_servers();
  mail_->upstream = mail_->delivery->server_name();
  if (!answer) co_return explain_failure(answer.error(), is_news);
  const Reply reply = smtp::pass_on(*answer);
  mail_->delivery->finish();
  if (!answer->is_positive()) co_return refuse(refusals::mail_by_upstream, reply, {});

  host_.counters.add(Total::octets_relayed, mail_->message->octets());
  junk_ = 0;
  checks_->message_relayed();
  record::Decision decision = decision_of(disposition, Stage::message, reply);
  decide(decision);
  channel_.queue(reply);
  const bool may_have_left = channel_.may_have_left();
  auto told = co_await channel_.flush(now() + reply_patience);
  if (told && !may_have_left) co_return Flow::next;
  // U13: it is delivered, and the client may not know: it will perhaps send it again.
  decision.detail = io::name(told ? io::Error::closed : told.error());
  decide(std::move(decision), Fault::reply_lost);
  co_return told ? Flow::next : Flow::end;
}

// The message did not go out, or nobody knows whether it did.
Flow Session::explain_failure(const upstream::UpstreamError& error, bool is_news) {
  const bool after_end = mail_->delivery->end_was_written();
  if (incident_of(error) == record::Incident(Fault::client_lost)) {
    record::Decision decision;
    decision.stage = Stage::message;
    decision.detail = error.detail;
    decide(std::move(decision), Fault::client_lost);
    return Flow::end;
  }
  if (after_end) record_unknown_outcome();
  return refuse(refusal_of(error, after_end, About::mail), {.detail = error.detail, .is_news = is_news});
}

}  // namespace sallyport::session
