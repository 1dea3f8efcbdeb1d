#include "gateway/app/explain_json.h"

#include <nlohmann/json.hpp>

#include "gateway/app/explain_checks.h"
#include "gateway/app/explain_facts.h"

namespace sallyport::app {

namespace {

using Json = nlohmann::ordered_json;

// "550 5.7.1 text" taken apart; null when nothing was said.
Json reply_json(const Explanation& about) {
  if (about.reply.empty()) return nullptr;
  Json json;
  json["code"] = std::stoi(about.reply);
  json["line"] = about.reply;
  json["by"] = about.passes() ? "upstream" : "gateway";
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
  json["action"] = policies::name(verdict.action);
  json["score"] = verdict.score;
  json["because"] = verdict.because;
  json["shadow"] = verdict.shadow;
  return json;
}

Json check_json(const CheckRow& row, const Explanation& about) {
  Json json;
  json["check"] = row.check;
  json["mode"] = policies::name(row.mode);
  json["result"] = row.result;
  json["fact"] = row.fact;
  json["details"] = row.details;
  json["score"] = row.score;
  json["decided"] = row.decided;
  json["facts"] = facts_json(row.check, about);
  json["dns"] = Json::array();
  for (const dns::Evidence& asked : row.evidence) json["dns"].push_back(evidence_json(asked));
  return json;
}

}  // namespace

std::string explain_json(const Explanation& about) {
  Json json;
  json["verdict"] = about.verdict;
  json["passes"] = about.passes();
  json["reply"] = reply_json(about);
  json["stage"] = about.stage;
  json["check"] = about.check;
  json["rule"] = about.rule;
  json["because"] = about.because;
  json["id"] = about.mail.id;
  json["tenant"] = about.mail.tenant.name;
  json["upstream"] = about.mail.route.upstream;
  json["score"] = about.score;
  json["thresholds"] = {
      {"tag", about.thresholds.tag}, {"quarantine", about.thresholds.quarantine}, {"reject", about.thresholds.reject}};
  json["envelope"] = envelope_json(about.envelope);
  json["message"] = {{"octets", about.octets}, {"notes", about.notes}};
  json["checks"] = Json::array();
  for (const CheckRow& row : rows_of(about)) json["checks"].push_back(check_json(row, about));
  json["verdicts"] = Json::array();
  for (const policies::Verdict& verdict : about.verdicts) json["verdicts"].push_back(verdict_json(verdict));
  json["remarks"] = Json::array();
  for (const Remark& remark : about.remarks) {
    json["remarks"].push_back({{"event", remark.event}, {"kind", remark.kind}, {"detail", remark.detail}});
  }
  json["dialogue"] = Json::array();
  for (const Exchange& exchange : about.dialogue) {
    json["dialogue"].push_back({{"command", exchange.command}, {"reply", exchange.reply}});
  }
  json["relayed_header"] = about.relayed_header;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sallyport::app
