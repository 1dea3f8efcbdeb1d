#include "gateway/explain/explain_json.h"

#include <nlohmann/json.hpp>

#include "gateway/checks/changes.h"
#include "gateway/explain/explain_checks.h"

namespace sallyport::explain {

namespace {

using Json = nlohmann::ordered_json;

// The last reply that the client got; null when there was none.
Json reply_json(const Explanation& about) {
  if (about.reply.empty()) return nullptr;
  Json json;
  json["code"] = about.record.code;
  json["line"] = about.reply;
  json["by"] = about.is_relayed() ? "upstream" : "gateway";
  return json;
}

Json envelope_json(const Envelope& envelope) {
  Json json;
  json["ip"] = envelope.ip.to_string();
  json["helo"] = envelope.helo;
  json["from"] = envelope.from;
  json["to"] = envelope.to;
  json["tls"] = envelope.tls;
  json["assumed"] = envelope.assumed;
  return json;
}

Json verdict_json(const policies::Verdict& verdict) {
  Json json;
  json["check"] = verdict.check;
  if (!verdict.rule.empty()) json["rule"] = verdict.rule;
  json["stage"] = word(verdict.stage);
  json["action"] = word(verdict.action);
  json["score"] = verdict.score;
  json["because"] = verdict.because;
  json["shadow"] = verdict.shadow;
  if (verdict.is_unknown) json["unknown"] = true;
  if (const std::string changes = checks::change_words(verdict); !changes.empty()) json["changes"] = changes;
  return json;
}

Json evidence_json(const dns::Evidence& asked) {
  Json json;
  json["type"] = name(asked.question.type);
  json["name"] = asked.question.name;
  json["status"] = word(asked.answer.status);
  json["records"] = Json::array();
  for (const dns::RecordData& record : asked.answer.records) json["records"].push_back(to_string(record));
  json["ttl"] = asked.answer.ttl.count();
  json["from_cache"] = asked.answer.from_cache;
  return json;
}

Json check_json(const CheckRow& row) {
  Json json;
  json["check"] = row.check;
  json["mode"] = word(row.mode);
  json["result"] = row.words.result;
  json["fact"] = row.words.fact;
  json["details"] = row.words.details;
  json["score"] = row.score;
  json["decided"] = row.decided;
  json["facts"] = Json::parse(row.facts);
  json["dns"] = Json::array();
  for (const dns::Evidence* asked : row.evidence) json["dns"].push_back(evidence_json(*asked));
  return json;
}

}  // namespace

std::string explain_json(const Explanation& about) {
  const record::MailRecord& record = about.record;
  Json json;
  json["verdict"] = word(record.outcome);
  json["passes"] = about.passes();
  json["reply"] = reply_json(about);
  json["stage"] = word(record.stage);
  json["check"] = record.check;
  json["rule"] = record.rule;
  json["because"] = record.because;
  json["id"] = record.transaction.id;
  json["tenant"] = record.transaction.tenant.name;
  json["upstream"] = record.transaction.route.upstream;
  json["score"] = record.score;
  json["thresholds"] = {
      {"tag", about.thresholds.tag}, {"quarantine", about.thresholds.quarantine}, {"reject", about.thresholds.reject}};
  json["envelope"] = envelope_json(about.envelope);
  json["message"] = {{"octets", about.octets}, {"notes", about.notes}};
  json["checks"] = Json::array();
  for (const CheckRow& row : rows_of(about)) json["checks"].push_back(check_json(row));
  json["verdicts"] = Json::array();
  for (const policies::Verdict& verdict : record.verdicts) json["verdicts"].push_back(verdict_json(verdict));
  json["changes"] = checks::changes(record.verdicts, about.is_relayed());
  json["remarks"] = Json::array();
  for (const Remark& remark : about.remarks) {
    json["remarks"].push_back({{"event", remark.event}, {"kind", remark.kind}, {"detail", remark.detail}});
  }
  json["dialogue"] = Json::array();
  for (const Exchange& exchange : about.dialogue) {
    json["dialogue"].push_back({{"command", exchange.command}, {"reply", exchange.reply}});
  }
  json["relayed_header"] = about.relayed_header;
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace sallyport::explain
