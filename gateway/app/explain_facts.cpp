#include "gateway/app/explain_facts.h"

#include <nlohmann/json.hpp>

#include "gateway/app/explain_checks.h"

namespace sallyport::app {

namespace {

using Json = nlohmann::ordered_json;

Json rate_facts(const Explanation& about) {
  Json asked = Json::array();
  for (const RateQuestion& rate : about.rates) asked.push_back({{"key", rate.key}, {"rate", to_text(rate.rate)}});
  return {{"asked", std::move(asked)}};
}

Json helo_facts(const Explanation& about) { return {{"finding", name(about.facts.helo.finding)}}; }

Json dnsbl_facts(const Explanation& about) {
  const policies::DnsblFacts& facts = about.facts.dnsbl;
  Json hits = Json::array();
  for (const auto& hit : facts.hits) {
    hits.push_back({{"zone", hit.zone}, {"codes", hit.codes}, {"score", hit.score}});
  }
  return {{"hits", std::move(hits)}, {"failed_zones", facts.failed_zones}};
}

Json rdns_facts(const Explanation& about) {
  const policies::RdnsFacts& facts = about.facts.rdns;
  return {{"name", facts.name}, {"names", facts.names}};
}

Json spf_check(const std::optional<policies::SpfCheck>& check) {
  if (!check) return nullptr;
  Json json;
  json["result"] = name(check->result);
  json["domain"] = check->domain;
  json["mechanism"] = check->mechanism;
  json["problem"] = check->problem;
  json["explanation"] = check->explanation;
  json["lookups"] = check->lookups;
  json["void_lookups"] = check->void_lookups;
  return json;
}

Json spf_facts(const Explanation& about) {
  return {{"mailfrom", spf_check(about.facts.spf.mailfrom)}, {"helo", spf_check(about.facts.spf.helo)}};
}

Json signature_json(const policies::DkimFacts::Signature& signature) {
  Json json;
  json["result"] = name(signature.result);
  json["reason"] = signature.reason;
  json["domain"] = signature.domain;
  json["selector"] = signature.selector;
  json["identity"] = signature.identity;
  json["algorithm"] = signature.algorithm;
  json["canonicalization"] = signature.canonicalization;
  json["b"] = signature.b;
  json["key_bits"] = signature.key_bits;
  json["testing"] = signature.testing;
  json["body_hash"] = signature.body_hash;
  json["header_hash"] = signature.header_hash;
  json["header_input_start"] = signature.header_input_start;
  return json;
}

Json dkim_facts(const Explanation& about) {
  const policies::DkimFacts& facts = about.facts.dkim;
  Json signatures = Json::array();
  for (const auto& signature : facts.signatures) signatures.push_back(signature_json(signature));
  return {{"fields", facts.fields}, {"signatures", std::move(signatures)}};
}

Json arc_facts(const Explanation& about) {
  const policies::ArcFacts& facts = about.facts.arc;
  Json json;
  json["reason"] = facts.reason;
  json["oldest_pass"] = facts.oldest_pass;
  json["sets"] = Json::array();
  for (const auto& set : facts.sets) {
    Json entry;
    entry["instance"] = set.instance;
    entry["seal_domain"] = set.seal_domain;
    entry["seal_selector"] = set.seal_selector;
    entry["message_domain"] = set.message_domain;
    entry["cv"] = set.cv;
    entry["results"] = set.results;
    json["sets"].push_back(std::move(entry));
  }
  json["trusted_instance"] = facts.trusted_instance;
  json["trusted_sealer"] = facts.trusted_sealer;
  json["trusted_dmarc"] = name(facts.trusted_dmarc);
  return json;
}

Json dmarc_facts(const Explanation& about) {
  const policies::DmarcFacts& facts = about.facts.dmarc;
  Json json;
  json["problem"] = facts.problem;
  json["from_domain"] = facts.from_domain;
  json["organizational_domain"] = facts.organizational_domain;
  json["policy_domain"] = facts.policy_domain;
  json["record"] = facts.record;
  json["published"] = facts.published;
  json["policy"] = name(facts.policy);
  json["effective"] = name(facts.effective);
  json["testing"] = facts.testing;
  json["spf_alignment"] = facts.strict_spf ? "strict" : "relaxed";
  json["dkim_alignment"] = facts.strict_dkim ? "strict" : "relaxed";
  json["spf_aligned"] = facts.spf_aligned;
  json["dkim_aligned"] = facts.dkim_aligned;
  json["aligned_domain"] = facts.aligned_domain;
  json["override_reason"] = facts.override_reason;
  json["override_comment"] = facts.override_comment;
  json["report_to"] = facts.report_to;
  return json;
}

Json rules_facts(const Explanation& about) {
  Json rules = Json::array();
  for (const policies::RuleFact& rule : about.facts.rules.rules) {
    Json json;
    json["rule"] = rule.rule;
    json["stage"] = rule.stage;
    json["verdict"] = rule.verdict;
    json["code"] = rule.code;
    json["dsn"] = rule.dsn;
    json["text"] = rule.text;
    json["score"] = rule.score;
    json["detail"] = rule.detail;
    json["file"] = rule.file;
    json["line"] = rule.line;
    json["shadow"] = rule.shadow;
    rules.push_back(std::move(json));
  }
  return {{"rules", std::move(rules)}};
}

struct Row {
  std::string_view check;
  Json (*facts)(const Explanation& about);
};

constexpr Row rows[] = {
    {"rate", rate_facts}, {"helo", helo_facts}, {"dnsbl", dnsbl_facts}, {"rdns", rdns_facts},   {"spf", spf_facts},
    {"dkim", dkim_facts}, {"arc", arc_facts},   {"dmarc", dmarc_facts}, {"rules", rules_facts},
};

}  // namespace

Json facts_json(std::string_view check, const Explanation& about) {
  for (const Row& row : rows) {
    if (row.check == check) return row.facts(about);
  }
  return Json::object();
}

Json evidence_json(const dns::Evidence& asked) {
  Json json;
  json["type"] = name(asked.question.type);
  json["name"] = asked.question.name;
  json["status"] = name(asked.answer.status);
  json["records"] = Json::array();
  for (const dns::RecordData& record : asked.answer.records) json["records"].push_back(to_string(record));
  json["ttl"] = asked.answer.ttl.count();
  json["from_cache"] = asked.answer.from_cache;
  return json;
}

}  // namespace sallyport::app
