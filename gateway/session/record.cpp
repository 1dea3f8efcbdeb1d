// What is recorded of a session: one record per mail, per refused recipient and per refused connection, and one line
// per incident that none of these names (contract.md, section 6; threats.md I8).
#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/session/books.h"
#include "gateway/session/session.h"

namespace sallyport::session {

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

// ---- records ----

record::MailRecord Session::make_record(record::Subject subject, record::Decision decision) {
  const ClientOnBooks client{connection_, &*checks_, began_, snapshot_->shared->hash};
  record::MailRecord record = session::make_record(subject, std::move(decision), client, mail_.get(), now());
  if (mail_) record.upstream = mail_->upstream;
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
  const bool is_kept = tell_end(host_, settings().hostname, *mail_, [this] {
    if (!mail_->decision) decide(abandoned(mail_->stage()));
    return make_record(record::Subject::transaction, std::move(*mail_->decision));
  });
  mail_.reset();
  checks_->mail_ended();
  return is_kept;
}

}  // namespace sallyport::session
