// What the MTA is told, and what is recorded of it: one record per mail, per refused recipient and per refused
// connection, and one line per incident that none of these names (contract.md, section 6; threats.md I8).
#include <utility>

#include "gateway/base/text.h"
#include "gateway/milter/custom_reply.h"
#include "gateway/milter/negotiation.h"
#include "gateway/milter_service/mta_session.h"
#include "gateway/session/books.h"

namespace sallyport::milter_service {

using policies::Stage;
using session::About;
using session::Refusal;
namespace refusals = session::refusals;

void MtaSession::go_on(milter::Verb verb) {
  if (milter::is_answered(terms_, verb)) channel_.say(milter::Word::go_on);
}

// As the MTA is to say it to its client.
void MtaSession::say(const smtp::Reply& reply) {
  constexpr std::size_t longest = 400;
  milter::CustomReply custom{reply.code(), reply.enhanced(), {}};
  for (const std::string& line : reply.lines()) {
    const std::string clean = text::printable(line, std::string::npos);
    for (std::size_t at = 0; at < clean.size(); at += longest) custom.lines.push_back(clean.substr(at, longest));
  }
  if (custom.lines.empty()) custom.lines.emplace_back();
  const std::string text = milter::to_wire(custom);
  channel_.say(milter::ReplyText{text});
}

void MtaSession::refuse(const Refusal& refusal, const Particulars& particulars) {
  const smtp::Reply reply = session::reply_to(refusal, settings().hostname, id(), particulars.what);
  if (refusal.incident) record::count(host_.counters, *refusal.incident);
  if (refusal.about == About::command || (refusal.about == About::session && !mail_)) {
    if (refusal.incident) write_incident(*refusal.incident, {});
    return say(reply);
  }
  record::Decision decision;
  decision.outcome = session::outcome_of(reply);
  decision.check = refusal.incident ? record::name(*refusal.incident) : refusal.check;
  decision.because = particulars.because;
  session::set_reply(decision, reply);
  if (refusal.about == About::connection) {
    decision.stage = Stage::connect;
    record_refused_connection(std::move(decision));
  } else if (refusal.about == About::recipient) {
    decision.stage = Stage::rcpt;
    record_refused_recipient(std::move(decision));
  } else {
    decision.stage = mail_->stage();
    decide(std::move(decision));
  }
  say(reply);
}

void MtaSession::apply(const checks::Disposition& disposition, Stage stage) {
  // Without a word to the client: the MTA can only be asked to close, which it says with 421.
  const bool is_silent = disposition.action == policies::Action::drop;
  const smtp::Reply reply = is_silent ? smtp::Reply() : session::reply_for(disposition, id());
  record::Decision decision = session::decision_of(disposition, stage, reply);
  if (!mail_) {
    record_refused_connection(std::move(decision));
  } else if (stage == Stage::rcpt) {
    record_refused_recipient(std::move(decision));
  } else {
    decide(std::move(decision));
  }
  if (is_silent) return channel_.say(milter::Word::shutdown);
  say(reply);
}

// ---- records ----

void MtaSession::decide(record::Decision decision) {
  mail_->decision = std::move(decision);
  mail_->of_refused.reset();
}

// What has gone wrong decides about the mail; where there is none, it has a line of its own.
void MtaSession::fail(record::Incident kind, record::Outcome outcome, std::string_view detail) {
  if (!mail_) return record(kind, detail);
  record::Decision decision;
  decision.outcome = outcome;
  decision.stage = mail_->stage();
  decision.check = record::name(kind);
  decision.detail = detail;
  record::count(host_.counters, kind);
  decide(std::move(decision));
}

void MtaSession::record(record::Incident kind, std::string_view detail) {
  record::count(host_.counters, kind);
  write_incident(kind, detail);
}

void MtaSession::write_incident(record::Incident kind, std::string_view detail) {
  record::write_incident(host_.log, kind, {.id = id(), .client = connection_.client.ip, .detail = detail});
}

record::MailRecord MtaSession::make_record(record::Subject subject, record::Decision decision) {
  const session::ClientOnBooks client{connection_, checks_ ? &*checks_ : nullptr, began_, snapshot_->shared->hash};
  record::MailRecord record = session::make_record(subject, std::move(decision), client, mail_.get(), now());
  record.protocol = "milter";
  record.mta = name_of_mta();
  if (const std::string& door = macros_[Macro::daemon_name]; !door.empty()) record.mta.append("/").append(door);
  record.queue_id = macros_[Macro::queue_id];
  return record;
}

void MtaSession::record_refused_recipient(record::Decision decision) {
  record::MailRecord record = make_record(record::Subject::recipient, decision);
  const checks::Plan* plan = mail_->recipient_plan;
  record.transaction.tenant.name = plan ? plan->tenant : connection_.tenant.name;
  record::tell(host_.sinks, record);
  decide(std::move(decision));
  mail_->of_refused = {std::move(record.facts), std::move(record.verdicts)};
}

void MtaSession::record_refused_connection(record::Decision decision) {
  record::tell(host_.sinks, make_record(record::Subject::connection, std::move(decision)));
}

bool MtaSession::end_mail() {
  if (!mail_) return true;
  const bool is_kept = session::tell_end(host_, settings().hostname, *mail_, [this] {
    if (!mail_->decision) decide(session::abandoned(mail_->stage()));
    return make_record(record::Subject::transaction, std::move(*mail_->decision));
  });
  mail_.reset();
  checks_->mail_ended();
  return is_kept;
}

}  // namespace sallyport::milter_service
