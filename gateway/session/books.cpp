#include "gateway/session/books.h"

#include <new>
#include <utility>

#include "gateway/session/refusals.h"

namespace sallyport::session {

policies::Stage MailUnderWay::stage() const {
  if (message) return policies::Stage::message;
  return recipients_offered > 0 ? policies::Stage::rcpt : policies::Stage::mail;
}

record::MailRecord make_record(record::Subject subject, record::Decision decision, const ClientOnBooks& client,
                               MailUnderWay* mail, Time now) {
  record::MailRecord record;
  static_cast<record::Decision&>(record) = std::move(decision);
  record.subject = subject;
  if (client.checks != nullptr) {
    record.facts = client.checks->facts();
    record.verdicts = client.checks->verdicts();
  }
  record.score = checks::score(record.verdicts);
  if (mail == nullptr) {
    record.transaction = client.connection;
    record.took = now - client.began;
    record.configuration = client.configuration;
    return record;
  }
  if (subject == record::Subject::transaction) {
    record.transaction = std::move(mail->transaction);  // the mail ends with this record
    mail->transaction.id = record.transaction.id;       // which replies still name
  } else {
    record.transaction = mail->transaction;
  }
  record.transaction.message = nullptr;  // a sink may keep the record for longer than there is a message
  record.size = mail->message ? mail->message->octets() : 0;
  record.took = now - mail->began;
  record.configuration = mail->snapshot->shared->hash;
  return record;
}

record::Decision abandoned(policies::Stage stage) {
  record::Decision decision;
  decision.stage = stage;
  decision.check = "abandoned";
  return decision;
}

bool tell_end(Host& host, std::string_view hostname, MailUnderWay& mail,
              const std::function<record::MailRecord()>& make) {
  try {
    record::MailRecord record = make();
    if (mail.of_refused) {
      record.facts = std::move(mail.of_refused->facts);
      record.verdicts = std::move(mail.of_refused->verdicts);
      record.score = checks::score(record.verdicts);
    }
    if (record::tell(host.sinks, record)) return true;
    record.outcome = record::Outcome::tempfail;
    record.check = refusals::not_recorded.check;
    record.rule.clear();
    record.because.clear();
    set_reply(record, reply_to(refusals::not_recorded, hostname, record.transaction.id));
    record::tell(host.sinks, record);
  } catch (const std::bad_alloc&) {
    host.counters.add(Fault::log);  // as on a full disk: the record is lost, what becomes of the mail is not (R6)
  }
  return false;
}

}  // namespace sallyport::session
