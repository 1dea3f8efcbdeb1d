// What the session says to a client, and what it remembers of having said no.
#include <string>

#include "gateway/session/session.h"

namespace sallyport::session {

using policies::Action;
using policies::Stage;
using smtp::Reply;

Flow Session::say(const Reply& reply) {
  channel_.queue(reply);
  return Flow::next;
}

Flow Session::refuse(const Refusal& refusal, const Particulars& particulars) {
  return refuse(refusal, reply_to(refusal, particulars.what), particulars);
}

Flow Session::refuse(const Refusal& refusal, const Reply& reply, const Particulars& particulars) {
  note(refusal, reply, particulars);
  // Before the handshake of a TLS listener nobody would understand it.
  const bool is_unheard = refusal.about == About::connection && listener_.settings.tls == config::ListenTls::implicit &&
                          !sequence_.in_tls();
  if (!is_unheard) channel_.queue(reply);
  if (refusal.closes) return Flow::end;
  if (refusal.about == About::command) return count_error();
  if (refusal.about != About::recipient || !reply.is_permanent()) return Flow::next;
  return count_refused_recipient(reply, refusal.concern);
}

void Session::note(const Refusal& refusal, const Reply& reply, const Particulars& particulars) {
  // Without a mail there is no record but the incident's own line.
  const bool is_incident_alone = refusal.about == About::command || (refusal.about == About::session && !mail_);
  if (is_incident_alone) {
    if (refusal.incident) record(*refusal.incident, particulars.detail);
    return;
  }
  record::Decision decision;
  decision.outcome = outcome_of(reply);
  decision.check = refusal.incident ? record::name(*refusal.incident) : refusal.check;
  decision.because = particulars.because;
  decision.detail = particulars.detail;
  set_reply(decision, reply);
  switch (refusal.about) {
    case About::connection:
      decision.stage = Stage::connect;
      if (refusal.incident) record::count(host_.counters, *refusal.incident);
      return record_refused_connection(std::move(decision));
    case About::recipient:
      decision.stage = Stage::rcpt;
      if (refusal.incident && particulars.is_news) {
        record::count(host_.counters, *refusal.incident);
      } else if (refusal.incident) {  // named a second time it would be logged twice (I8)
        decision.rule = std::exchange(decision.check, "upstream");
      }
      return record_refused_recipient(std::move(decision));
    case About::command:
    case About::mail:
    case About::session:
      decision.stage = mail_->stage();
      return decide(std::move(decision), refusal.incident, particulars.is_news);
  }
}

Flow Session::apply(const checks::Disposition& disposition, Stage stage) {
  const bool is_silent = disposition.action == Action::drop;
  const Reply reply = is_silent ? Reply() : reply_for(disposition, id());
  record::Decision decision = decision_of(disposition, stage, reply);
  if (!mail_) {
    record_refused_connection(std::move(decision));
  } else if (stage == Stage::rcpt) {
    record_refused_recipient(std::move(decision));
  } else {
    decide(std::move(decision));
  }
  if (is_silent) return Flow::end;
  channel_.queue(reply);
  if (disposition.close) return Flow::end;
  if (stage != Stage::rcpt || !reply.is_permanent()) return Flow::next;
  return count_refused_recipient(reply, Concern::by_wording);
}

Flow Session::count_error() {
  if (++errors_ < settings().limits.errors_per_session) return Flow::next;
  return refuse(refusals::too_many_errors);
}

// Address harvesting. What refuses the sender or the client for each recipient anew is one refusal: a server may keep
// the answer that it has for MAIL until RCPT, as Postfix does. It then says the same again, with a code for policy or
// for a sender's address (RFC 3463, 3.2 and 3.8).
Flow Session::count_refused_recipient(const Reply& reply, Concern concern) {
  const std::string& dsn = reply.enhanced();
  const bool may_be_of_sender = dsn.starts_with("5.7.") || dsn == "5.1.7" || dsn == "5.1.8";
  if (concern == Concern::mail || (concern == Concern::by_wording && may_be_of_sender)) {
    const std::string before = std::exchange(mail_->refusal_of_sender, dsn + " " + reply.text());
    const bool is_known = concern == Concern::mail ? !before.empty() : before == mail_->refusal_of_sender;
    if (is_known) return Flow::next;
  }
  if (++refused_recipients_ < settings().limits.unknown_recipients_close) return Flow::next;
  return refuse(refusals::harvest);
}

// S18: commands that lead nowhere are free for a while.
Flow Session::count_junk() {
  if (++junk_ <= settings().limits.junk_commands) return Flow::next;
  record(Violation::junk_flood);
  return count_error();
}

}  // namespace sallyport::session
