// What is recorded of a session: one record per mail, per refused recipient and per refused connection, and one line
// per incident that none of these names (contract.md, section 6; threats.md I8).
#include <new>

#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/session/session.h"

namespace sallyport::session {

using policies::Stage;

void Session::decide(record::Decision decision, std::optional<record::Incident> incident, bool is_news) {
  if (incident) {
    const bool is_unlogged = is_news || mail_->unlogged == incident;
    if (is_news) {
      record::count(host_.counters, *incident);
    } else if (is_unlogged) {
      mail_->unlogged.reset();  // the same incident decides again, and no line names it yet
    }
    // Named a second time it would be logged twice.
    decision.check = record::name(*incident);
    if (!is_unlogged) {
      decision.rule = std::exchange(decision.check, "upstream");
      incident.reset();
    }
  }
  overrule();
  mail_->decision = std::move(decision);
  mail_->unlogged = incident;
}

void Session::overrule() {
  if (mail_->unlogged) write_incident(*mail_->unlogged, mail_->decision->detail);
  mail_->unlogged.reset();
  mail_->decision.reset();
  mail_->of_refused.reset();
}

void Session::record(record::Incident kind, std::string_view detail) {
  record::count(host_.counters, kind);
  write_incident(kind, detail);
}

void Session::write_incident(record::Incident kind, std::string_view detail) {
  const std::string_view upstream = mail_ ? std::string_view(mail_->upstream) : std::string_view();
  record::write_incident(host_.log, kind,
                         {.id = id(), .client = connection_.client.ip, .upstream = upstream, .detail = detail});
}

// U6: perhaps delivered, perhaps not. With these an administrator can find the message behind us, whatever its id
// there.
void Session::record_unknown_outcome() {
  const mail::HeaderField* field = mail_->message->header().find("Message-ID");
  const std::string hash = field ? text::to_hex(crypto::sha256(text::trim(field->value))) : std::string();
  host_.log.write(LogLevel::warning, "fault",
                  {{"kind", name(Fault::outcome_unknown)},
                   {"id", mail_->transaction.id},
                   {"upstream", mail_->upstream},
                   {"size", static_cast<std::int64_t>(mail_->message->octets())},
                   {"message_id_sha256", hash}});
  host_.counters.add(Fault::outcome_unknown);
  mail_->is_recorded_unknown = true;
}

// Where the mail stands.
Stage Session::stage_of_mail() const {
  if (mail_->message) return Stage::message;
  return mail_->recipients_offered > 0 ? Stage::rcpt : Stage::mail;
}

// ---- records ----

record::MailRecord Session::make_record(record::Subject subject, record::Decision decision) {
  record::MailRecord record;
  static_cast<record::Decision&>(record) = std::move(decision);
  record.subject = subject;
  record.facts = checks_->facts();
  record.verdicts = checks_->verdicts();
  record.score = checks::score(record.verdicts);
  if (!mail_) {
    record.transaction = connection_;
    record.took = now() - began_;
    record.configuration = snapshot_->shared->hash;
    return record;
  }
  if (subject == record::Subject::transaction) {
    record.transaction = std::move(mail_->transaction);  // the mail ends with this record
    mail_->transaction.id = record.transaction.id;       // which replies still name
  } else {
    record.transaction = mail_->transaction;
  }
  record.transaction.message = nullptr;  // a sink may keep the record for longer than there is a message
  record.upstream = mail_->upstream;
  record.size = mail_->message ? mail_->message->octets() : 0;
  record.took = now() - mail_->began;
  record.configuration = mail_->snapshot->shared->hash;
  return record;
}

void Session::record_refused_recipient(record::Decision decision) {
  record::MailRecord record = make_record(record::Subject::recipient, decision);
  const checks::Plan* plan = mail_->recipient_plan;
  record.transaction.tenant.name = plan ? plan->tenant : connection_.tenant.name;
  record.transaction.route.upstream = plan ? plan->upstream : std::string();
  record::tell(host_.sinks, record);
  decide(std::move(decision));
  mail_->of_refused = {std::move(record.facts), std::move(record.verdicts)};
}

void Session::record_refused_connection(record::Decision decision) {
  record::tell(host_.sinks, make_record(record::Subject::connection, std::move(decision)));
}

bool Session::end_mail() {
  sequence_.end_transaction();
  channel_.set_content_complete(false);
  channel_.set_payer(0);
  if (!mail_) return true;
  bool is_kept = true;
  try {
    if (!mail_->decision) {
      record::Decision abandoned;
      abandoned.stage = stage_of_mail();
      abandoned.check = "abandoned";
      decide(std::move(abandoned));
    }
    record::MailRecord record = make_record(record::Subject::transaction, std::move(*mail_->decision));
    if (mail_->of_refused) {
      record.facts = std::move(mail_->of_refused->facts);
      record.verdicts = std::move(mail_->of_refused->verdicts);
      record.score = checks::score(record.verdicts);
    }
    is_kept = record::tell(host_.sinks, record);
    if (!is_kept) {
      const smtp::Reply reply = reply_to(refusals::not_recorded);
      record.outcome = record::Outcome::tempfail;
      record.check = refusals::not_recorded.check;
      record.rule.clear();
      record.because.clear();
      set_reply(record, reply);
      record::tell(host_.sinks, record);
    }
  } catch (const std::bad_alloc&) {
    host_.counters.add(Fault::log);  // as on a full disk: the record is lost, what becomes of the mail is not (R6)
    is_kept = false;
  }
  mail_.reset();
  checks_->mail_ended();
  return is_kept;
}

}  // namespace sallyport::session
