// The message: its header fields, its body, and what becomes of it at its end.
#include <algorithm>
#include <exception>
#include <utility>

#include "gateway/async/wait.h"
#include "gateway/base/text.h"
#include "gateway/checks/changes.h"
#include "gateway/checks/leaving_header.h"
#include "gateway/milter_service/header_edits.h"
#include "gateway/milter_service/mta_session.h"

namespace sallyport::milter_service {

using milter::Verb;
using policies::Action;
using policies::Stage;
using session::Refusal;
using smtp::Reply;
namespace refusals = session::refusals;

namespace {

// How often an MTA that waits for the answer at a message's end hears that we are at work.
constexpr Duration progress_interval = std::chrono::seconds(10);

// What a NUL is refused with (S4), as in content that comes by SMTP.
constexpr Refusal nul_in_content{.code = 550,
                                 .dsn = "5.6.0",
                                 .text = "NUL octet in the message",
                                 .about = session::About::mail,
                                 .incident = Violation::nul,
                                 .has_id = true};

// Filters that are asked in turn have changed the mail in a way that the MTA is not asked for.
constexpr Refusal policy_not_followed{.code = refusals::foreign_upstream.code,
                                      .dsn = refusals::foreign_upstream.dsn,
                                      .text = refusals::foreign_upstream.text,
                                      .about = session::About::mail,
                                      .incident = {},
                                      .check = "milters",
                                      .has_id = true};

// Of a mail, not of a recipient.
Refusal of_mail(Refusal refusal) {
  refusal.about = session::About::mail;
  return refusal;
}

// The field as it stands in a message. Nothing: its value would end it and begin another one.
std::optional<std::string> line_of(const milter::Header& field, bool has_blank) {
  std::string line;
  line.reserve(field.name.size() + field.value.size() + 8);
  line.append(field.name).append(":");
  if (!has_blank) line.append(" ");
  const std::string_view value = field.value;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool is_before_lf = i + 1 < value.size() && value[i + 1] == '\n';
    if (value[i] == '\r' && is_before_lf) continue;
    if (value[i] == '\n') {
      if (i + 1 == value.size() || !text::is_space(value[i + 1])) return std::nullopt;
      line.push_back('\r');
    }
    line.push_back(value[i]);
  }
  return line.append("\r\n");
}

}  // namespace

MtaSession::Flow MtaSession::on_data() {
  mail_->is_content_coming = true;
  go_on(Verb::data);
  return Flow::next;
}

void MtaSession::begin_content() {
  if (mail_->message) return;
  state_ = State::in_content;
  const config::Settings& settings = mail_settings();
  const mail::MessageLimits bounds{settings.limits.message_size, settings.limits.memory_per_message};
  mail_->message = std::make_unique<mail::Message>(bounds, host_.spool);
  mail_->transaction.message = mail_->message.get();
  mail_->intake = std::make_unique<session::ContentIntake>(*mail_->message, *checks_, mail_->transaction);
  mail_->content_deadline = now() + settings.timeouts.data_total;
}

MtaSession::Flow MtaSession::on_header(const milter::Header& field) {
  begin_content();
  const auto line = line_of(field, (terms_.options & milter::option::leading_space) != 0);
  if (!line || mail_->has_header_ended) return handle_breach("a header field that is none");
  mail_->intake->append(*line);
  host_.counters.add(Total::octets_received, line->size());
  go_on(Verb::header);
  return Flow::next;
}

void MtaSession::end_header() {
  begin_content();
  if (std::exchange(mail_->has_header_ended, true)) return;
  mail_->intake->append("\r\n");
}

MtaSession::Flow MtaSession::on_end_of_header() {
  if (mail_->has_header_ended) return handle_breach("a second end of the header");
  end_header();
  go_on(Verb::end_of_header);
  return Flow::next;
}

void MtaSession::take_body(std::string_view octets) {
  end_header();
  if (octets.empty()) return;
  if (octets.find('\0') != std::string_view::npos) mail_->has_nul = true;
  mail_->intake->append(octets);
  host_.counters.add(Total::octets_received, octets.size());
  mail_->held.set(mail_->message->memory_octets());
  if (host_.pressure.level() != io::Pressure::Level::none) {
    mail_->message->hold_in_memory(mail_settings().limits.memory_under_pressure);
  }
}

MtaSession::Flow MtaSession::on_body(std::string_view octets) {
  take_body(octets);
  go_on(Verb::body);
  return Flow::next;
}

Task<MtaSession::Flow> MtaSession::on_end_of_message(std::string_view last_octets) {
  take_body(last_octets);
  mail_->intake->end();
  if (mail_->plan == nullptr) {
    // None of its recipients is anybody's whom we serve.
    if (!mail_->decision) {
      record::Decision decision;
      decision.outcome = record::Outcome::relay;
      decision.stage = Stage::message;
      decision.check = refusals::relaying.check;
      decision.because = "a trusted client's mail for domains that no tenant serves";
      decide(std::move(decision));
    }
    channel_.say(milter::Word::accept);
  } else if (!object_to_content()) {
    const checks::Disposition disposition = co_await judge_message();
    if (disposition.refuses()) {
      apply(disposition, Stage::message);
    } else if (disposition.action == Action::discard) {
      co_await discard(disposition);
    } else if (const Refusal* objection = objection_to_redirect()) {
      refuse(of_mail(*objection), {.because = "redirected to " + std::string(checks::redirect(checks_->verdicts()))});
    } else if (const auto change = unfollowed_change(); !change.empty()) {
      refuse(policy_not_followed, {.because = change});
    } else {
      pass(disposition);
    }
  }
  if (mail_ && mail_->plan != nullptr && checks_->looks_back()) {
    // The MTA has its answer before rules look back at the mail. That it may be gone changes nothing for them.
    static_cast<void>(co_await channel_.flush());
    co_await look_back();
  }
  end_mail();
  macros_.end_mail();
  state_ = State::connected;
  co_return Flow::next;
}

Task<checks::Disposition> MtaSession::judge_message() {
  async::Nursery progress(host_.scheduler);
  progress.spawn(tell_progress());
  co_return co_await checks_->message(mail_->transaction);
}

// Runs beside the checks, while nothing else is said.
Task<void> MtaSession::tell_progress() {
  while (true) {
    co_await async::sleep_for(host_.scheduler, progress_interval);
    channel_.say(milter::Word::progress);
    auto sent = co_await channel_.flush();
    if (!sent) co_return;
  }
}

Task<void> MtaSession::look_back() {
  if (mail_->decision) co_await checks_->done(mail_->transaction, word(mail_->decision->outcome));
}

// What milters behind us have changed beside the header; empty: nothing.
std::string MtaSession::unfollowed_change() const {
  if (checks::new_body(checks_->verdicts()) != nullptr) return "a milter has replaced the body";
  const checks::EnvelopeChanges envelope = checks::envelope_changes(checks_->verdicts());
  return envelope.is_empty() ? std::string() : "the envelope was changed by " + envelope.by;
}

bool MtaSession::object_to_content() {
  const mail::Message& message = *mail_->message;
  const Refusal* refusal = nullptr;
  if (message.is_over_limit()) {
    refusal = &refusals::message_too_large;
  } else if (message.has_failed()) {
    refusal = &refusals::spool_failed;
  } else if (mail_->has_nul) {
    refusal = &nul_in_content;
  } else {
    refusal = session::objection_to_header(message, mail_settings());
  }
  if (refusal != nullptr) refuse(*refusal);
  return refusal != nullptr;
}

// The MTA says 2xx for a mail that goes nowhere: only after the log has taken the record of it (I1), which is complete
// when rules have looked back.
Task<void> MtaSession::discard(const checks::Disposition& disposition) {
  decide(session::decision_of(disposition, Stage::message, Reply()));
  co_await look_back();
  const std::string mail_id = id();
  if (end_mail()) {
    channel_.say(milter::Word::discard);
  } else {
    say(session::reply_to(refusals::not_recorded, settings().hostname, mail_id));
  }
}

// All changes and the answer go in one piece: an MTA that does not hear the end of it does not use what is before.
void MtaSession::pass(const checks::Disposition& disposition) {
  const mail::Message& message = *mail_->message;
  const mail::OutgoingHeader header = checks::leaving_header(*checks_, {.mail = mail_->transaction,
                                                                        .message = message,
                                                                        .disposition = disposition,
                                                                        .hostname = mail_settings().hostname,
                                                                        .now = host_.clock.wall_now(),
                                                                        .has_received = false});
  if (header.left_out_forged) record(Violation::ar_removed);
  encode_edits(channel_.answers(), terms_, message.header(), header);
  if (disposition.action == Action::quarantine && (terms_.actions & milter::action::quarantine) != 0) {
    const checks::Reason& reason = disposition.reason;
    const std::string because = text::printable(reason.because.empty() ? reason.check : reason.because);
    channel_.say(milter::Quarantine{because});
  }
  channel_.say(milter::Word::accept);
  checks_->message_relayed();
  decide(session::decision_of(disposition, Stage::message, Reply()));
}

}  // namespace sallyport::milter_service
