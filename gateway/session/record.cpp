// The record of what happened: one line per mail, one per refused connection, one per violation or fault that decided
// neither (contract.md, section 6; threats.md I8).
#include <new>

#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/session/dmarc_observation.h"
#include "gateway/session/session.h"

namespace sallyport::session {

namespace {

Total total_of(std::string_view verdict) {
  if (verdict == "relay") return Total::relayed;
  if (verdict == "tag") return Total::tagged;
  if (verdict == "discard") return Total::discarded;
  if (verdict == "tempfail") return Total::tempfailed;
  if (verdict == "drop") return Total::dropped;
  return Total::rejected;
}

std::string one_line(const smtp::Reply& reply) {
  if (reply.code() == 0) return {};
  std::string line = std::to_string(reply.code());
  if (!reply.enhanced().empty()) line.append(" ").append(reply.enhanced());
  return line.append(" ").append(reply.text());
}

}  // namespace

void Session::note(std::string_view verdict, std::string_view stage, std::string_view check, const smtp::Reply& reply) {
  overrule();
  MailState::Outcome& outcome = mail_->outcome;
  outcome.verdict = verdict;
  outcome.stage = stage;
  outcome.check = check;
  outcome.code = reply.code();
  outcome.dsn = reply.enhanced();
  outcome.reply = one_line(reply);
}

void Session::decide(std::string_view verdict, std::string_view stage, Incident kind, const smtp::Reply& reply,
                     std::string_view detail, bool is_news) {
  std::optional<Incident>& pending = mail_->outcome.incident;
  bool has_no_line = is_news || pending == kind;
  if (is_news) {
    count(host_.counters, kind);
  } else if (has_no_line) {
    pending.reset();  // not overruled, only said again
  }
  // Named a second time it would be logged twice.
  note(verdict, stage, has_no_line ? name(kind) : "upstream", reply);
  if (has_no_line) pending = kind;
  mail_->outcome.detail = detail;
}

void Session::overrule() {
  MailState::Outcome& outcome = mail_->outcome;
  if (outcome.incident) write_incident(*outcome.incident, outcome.detail);
  std::string upstream = std::move(outcome.upstream);
  outcome = {};
  outcome.upstream = std::move(upstream);
}

void Session::record(Incident kind, std::string_view detail) {
  count(host_.counters, kind);
  write_incident(kind, detail);
}

void Session::write_incident(Incident kind, std::string_view detail) {
  std::string ip = about_.client.ip.to_string();
  const std::string& id = mail_ ? mail_->facts_of.id : about_.id;
  if (!is_fault(kind)) {
    host_.log.write(LogLevel::info, "violation", {{"kind", name(kind)}, {"id", id}, {"ip", ip}});
    return;
  }
  std::string upstream = mail_ ? mail_->outcome.upstream : std::string();
  host_.log.write(LogLevel::warning, "fault",
                  {{"kind", name(kind)}, {"id", id}, {"ip", ip}, {"upstream", upstream}, {"detail", detail}});
}

// U6: perhaps delivered, perhaps not. With these an administrator can find the message behind us, whatever its id
// there.
void Session::record_unknown_outcome() {
  const mail::HeaderField* field = mail_->message->header().find("Message-ID");
  std::string hash = field ? text::to_hex(crypto::sha256(text::trim(field->value))) : std::string();
  host_.log.write(LogLevel::warning, "fault",
                  {{"kind", name(Fault::outcome_unknown)},
                   {"id", mail_->facts_of.id},
                   {"upstream", mail_->outcome.upstream},
                   {"size", static_cast<std::int64_t>(mail_->message->octets())},
                   {"message_id_sha256", hash}});
  host_.counters.add(Fault::outcome_unknown);
  mail_->is_recorded_unknown = true;
}

// Where the mail stands, in the stages' names.
std::string_view Session::stage_of_mail() const {
  if (mail_->message) return "message";
  return mail_->recipients_offered > 0 ? "rcpt" : "mail";
}

void Session::write_connection_line(std::string_view verdict, std::string_view stage, std::string_view check,
                                    const smtp::Reply& reply, std::string_view because) {
  host_.counters.add(Total::connections_refused);
  if (host_.witness) {
    host_.witness->hear(
        {about_, checks_.facts(), checks_.verdicts(), checks_.score(), verdict, stage, check, {}, because});
  }
  std::string ip = about_.client.ip.to_string();
  std::string text = one_line(reply);
  host_.log.write(LogLevel::info, "connection",
                  {{"id", about_.id},
                   {"verdict", verdict},
                   {"stage", stage},
                   {"code", std::int64_t{reply.code()}},
                   {"dsn", reply.enhanced()},
                   {"check", check},
                   {"ip", ip},
                   {"helo", about_.client.helo},
                   {"reply", text}});
}

void Session::testify_of_mail() {
  const MailState::Outcome& outcome = mail_->outcome;
  host_.witness->hear({mail_->facts_of, checks_.facts(), checks_.verdicts(), checks_.score(), outcome.verdict,
                       outcome.stage, outcome.check, outcome.rule, outcome.because});
}

void Session::write_transaction_line() {
  const policies::Transaction& mail = mail_->facts_of;
  const MailState::Outcome& outcome = mail_->outcome;
  std::string ip = mail.client.ip.to_string();
  std::string_view from = mail.from ? std::string_view(mail.from->text) : std::string_view();
  std::string_view to;
  if (!mail.rcpts.empty()) {
    to = mail.rcpts.front().text;
  } else if (mail.rcpt) {
    to = mail.rcpt->text;
  }
  std::string tls = mail.client.tls ? mail.client.tls->version : std::string("none");
  std::string listed;
  for (const auto& hit : checks_.facts().dnsbl.hits) {
    if (!listed.empty()) listed += ',';
    listed += hit.zone;
  }
  const policies::Facts& facts = checks_.facts();
  const std::string_view spf = facts.spf.mailfrom ? name(facts.spf.mailfrom->result) : std::string_view();
  const std::string_view dkim = facts.dkim.checked ? name(overall(facts.dkim)) : std::string_view();
  const std::string_view dmarc = facts.dmarc.checked ? name(facts.dmarc.result) : std::string_view();
  const std::string_view arc = facts.arc.checked ? name(facts.arc.result) : std::string_view();
  std::uint64_t size = mail_->message ? mail_->message->octets() : 0;
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now() - mail_->began).count();
  std::vector<LogField> fields{{"id", mail.id},
                               {"tenant", mail.tenant.name},
                               {"verdict", outcome.verdict},
                               {"stage", outcome.stage},
                               {"code", std::int64_t{outcome.code}},
                               {"dsn", outcome.dsn},
                               {"check", outcome.check},
                               {"rule", outcome.rule},
                               {"ip", ip},
                               {"rdns", mail.client.rdns},
                               {"helo", mail.client.helo},
                               {"from", from, true},
                               {"to", to, true},
                               {"nrcpt", static_cast<std::int64_t>(mail.rcpts.size())},
                               {"size", static_cast<std::int64_t>(size)},
                               {"tls", tls},
                               {"spf", spf},
                               {"dkim", dkim},
                               {"dmarc", dmarc},
                               {"arc", arc},
                               {"dnsbl", listed},
                               {"score", checks_.score()},
                               {"upstream", outcome.upstream},
                               {"ms", std::int64_t{took}},
                               {"reply", outcome.reply}};
  if (!outcome.detail.empty()) fields.push_back({"detail", outcome.detail});
  host_.log.write(LogLevel::info, "transaction", fields);
}

void Session::observe_for_reports() {
  try {
    const bool by_list = settings().policy.dmarc.organizational_domain == policies::OrganizationalDomainBy::psl;
    auto seen = dmarc_observation(mail_->facts_of, checks_.facts(), checks_.verdicts(), mail_->outcome.verdict,
                                  by_list ? "psl" : "treewalk");
    if (seen) host_.reports->observed(std::move(*seen), host_.clock.wall_now());
  } catch (const std::bad_alloc&) {
    host_.counters.add(Fault::state);
  }
}

void Session::end_mail() {
  sequence_.end_transaction();
  if (!mail_) return;
  if (mail_->outcome.verdict.empty()) note("drop", stage_of_mail(), "abandoned", smtp::Reply());
  host_.counters.add(total_of(mail_->outcome.verdict));
  try {
    if (host_.witness) testify_of_mail();
    write_transaction_line();
  } catch (const std::bad_alloc&) {
    host_.counters.add(Fault::log);  // as on a full disk: the line is lost, the mail's fate is not (R6)
  }
  if (host_.reports != nullptr) observe_for_reports();
  mail_.reset();
  if (checks_.any()) checks_.mail_ended();
}

}  // namespace sallyport::session
