#include "gateway/app/explain_checks.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::app {

namespace {

using policies::AuthResult;
using policies::DkimFacts;
using policies::SpfCheck;

constexpr std::string_view not_run = "not run";

void add_evidence(CheckRow& row, const std::vector<dns::Evidence>& evidence) {
  row.evidence.insert(row.evidence.end(), evidence.begin(), evidence.end());
}

void describe_rate(CheckRow& row, const Explanation& about) {
  row.result = about.rates.empty() ? not_run : "not counted";
  if (!about.rates.empty()) row.fact = "what would have been:";
  for (const RateQuestion& rate : about.rates) row.details.push_back(rate.key + " of " + to_text(rate.rate));
}

void describe_helo(CheckRow& row, const Explanation& about) {
  const auto finding = about.facts.helo.finding;
  row.result = finding == policies::HeloFacts::Finding::ok ? "ok" : "fail";
  row.fact = about.envelope.helo;
  if (row.result == "ok") return;
  std::string words(name(finding));
  std::replace(words.begin(), words.end(), '_', ' ');
  row.fact += ": " + words;
}

void describe_dnsbl(CheckRow& row, const Explanation& about) {
  const policies::DnsblFacts& facts = about.facts.dnsbl;
  add_evidence(row, facts.evidence);
  if (!facts.hits.empty()) {
    row.result = "listed";
    for (const auto& hit : facts.hits) {
      if (!row.fact.empty()) row.fact += ", ";
      row.fact += hit.zone + " (" + text::join(hit.codes, " ") + ", score " + score_text(hit.score) + ")";
    }
  } else if (!facts.failed_zones.empty()) {
    row.result = "unknown";
  } else {
    row.result = facts.evidence.empty() ? "not asked" : "clean";
    row.fact =
        facts.evidence.empty() ? "no list for this client" : "lists asked: " + std::to_string(facts.evidence.size());
  }
  if (facts.failed_zones.empty()) return;
  if (!row.fact.empty()) row.fact += "; ";
  row.fact += "no usable answer from " + text::join(facts.failed_zones, ", ");
}

void describe_rdns(CheckRow& row, const Explanation& about) {
  const policies::RdnsFacts& facts = about.facts.rdns;
  add_evidence(row, facts.evidence);
  row.result = facts.result ? name(*facts.result) : not_run;
  if (!facts.result) return;
  const std::string ip = about.envelope.ip.to_string();
  if (facts.result == AuthResult::pass) {
    row.fact = facts.name;
  } else if (facts.names.empty()) {
    row.fact = facts.result == AuthResult::temperror ? "the DNS does not tell" : ip + " has no usable name";
  } else {
    row.fact = text::join(facts.names, ", ") + " does not lead back to " + ip;
  }
}

std::string spf_words(const SpfCheck& check) {
  std::string words = check.domain;
  if (!check.problem.empty()) return words + ": " + check.problem;
  if (!check.mechanism.empty()) return words + " says " + check.mechanism;
  return words + (check.result == AuthResult::none ? " publishes no record" : ": no term matches");
}

void describe_spf(CheckRow& row, const Explanation& about) {
  const policies::SpfFacts& facts = about.facts.spf;
  row.result = facts.mailfrom ? name(facts.mailfrom->result) : not_run;
  if (facts.mailfrom) {
    row.fact = spf_words(*facts.mailfrom);
    if (!facts.mailfrom->explanation.empty()) row.details.push_back("they say: " + facts.mailfrom->explanation);
    add_evidence(row, facts.mailfrom->evidence);
  }
  if (!facts.helo) return;
  row.details.push_back("HELO: " + std::string(name(facts.helo->result)) + ", " + spf_words(*facts.helo));
  for (const dns::Evidence& asked : facts.helo->evidence) {  // both identities are often of one domain
    const bool is_known = std::any_of(row.evidence.begin(), row.evidence.end(), [&asked](const dns::Evidence& known) {
      return known.question == asked.question;
    });
    if (!is_known) row.evidence.push_back(asked);
  }
}

std::string signature_words(const DkimFacts::Signature& signature) {
  std::string words = signature.domain.empty() ? std::string("a signature") : signature.domain;
  if (!signature.reason.empty()) words += ": " + signature.reason;
  if (!signature.selector.empty()) words += " (selector " + signature.selector + ")";
  return words;
}

void describe_dkim(CheckRow& row, const Explanation& about) {
  const DkimFacts& facts = about.facts.dkim;
  add_evidence(row, facts.evidence);
  row.result = facts.checked ? name(overall(facts)) : not_run;
  if (!facts.checked) return;
  if (facts.signatures.empty()) {
    row.fact = facts.fields == 0 ? "the message is not signed" : "no signature was looked at";
    return;
  }
  const auto decisive = std::find_if(facts.signatures.begin(), facts.signatures.end(),
                                     [](const auto& signature) { return signature.result == AuthResult::pass; });
  row.fact = signature_words(decisive == facts.signatures.end() ? facts.signatures.front() : *decisive);
  for (const auto& signature : facts.signatures) {
    if (facts.signatures.size() > 1) {
      row.details.push_back(std::string(name(signature.result)) + " " + signature_words(signature));
    }
    if (signature.result == AuthResult::pass) continue;
    std::string how = signature.algorithm + " " + signature.canonicalization;
    if (signature.testing) how += ", the key is for tests";
    row.details.push_back(std::move(how));
    if (!signature.body_hash.empty()) row.details.push_back("body as it came hashes to   " + signature.body_hash);
    if (!signature.header_hash.empty()) row.details.push_back("header as it came hashes to " + signature.header_hash);
  }
  if (facts.fields > facts.signatures.size()) {
    row.details.push_back(std::to_string(facts.fields - facts.signatures.size()) + " more were not looked at");
  }
}

void describe_arc(CheckRow& row, const Explanation& about) {
  const policies::ArcFacts& facts = about.facts.arc;
  add_evidence(row, facts.evidence);
  row.result = facts.checked ? name(facts.result) : not_run;
  if (!facts.checked) return;
  row.fact = facts.result == AuthResult::none ? "no chain" : facts.reason;
  if (facts.result == AuthResult::pass) {
    row.fact = std::to_string(facts.sets.size()) + " sets, the last by " + facts.sets.back().seal_domain;
    if (facts.trusted_instance != 0) {
      row.fact += "; trusted: " + facts.trusted_sealer + " saw dmarc=" + std::string(name(facts.trusted_dmarc));
    }
  }
  for (const auto& set : facts.sets) {
    row.details.push_back("i=" + std::to_string(set.instance) + " cv=" + set.cv + " " + set.seal_domain + ": " +
                          set.results);
  }
}

std::string alignment_words(const policies::DmarcFacts& facts) {
  if (facts.spf_aligned || facts.dkim_aligned) {
    std::string words = facts.dkim_aligned ? "DKIM" : "SPF";
    if (facts.spf_aligned && facts.dkim_aligned) words = "SPF and DKIM";
    return words + " in line with it by " + facts.aligned_domain;
  }
  return "neither SPF nor DKIM passes in line with it";
}

void describe_dmarc(CheckRow& row, const Explanation& about) {
  const policies::DmarcFacts& facts = about.facts.dmarc;
  add_evidence(row, facts.evidence);
  row.result = facts.checked ? name(facts.result) : not_run;
  if (!facts.checked) return;
  row.fact = facts.from_domain;
  if (!facts.problem.empty()) {
    row.fact += (row.fact.empty() ? "" : ": ") + facts.problem;
  } else if (facts.published.empty()) {
    row.fact += " publishes no policy";
  } else {
    row.fact += " (" + facts.published + "=" + std::string(name(facts.policy)) + "): " + alignment_words(facts);
  }
  if (facts.result == AuthResult::pass || facts.published.empty()) return;
  row.details.push_back("policy of " + facts.policy_domain + ": " + facts.record);
  row.details.push_back(std::string("alignment: SPF ") + (facts.strict_spf ? "strict" : "relaxed") + ", DKIM " +
                        (facts.strict_dkim ? "strict" : "relaxed"));
  if (!facts.override_reason.empty()) {
    row.details.push_back("done instead because of " + facts.override_reason + ": " + facts.override_comment);
  }
}

void describe_rules(CheckRow& row, const Explanation& about) {
  const auto& rules = about.facts.rules.rules;
  row.result = "quiet";
  for (const policies::RuleFact& rule : rules) {
    std::string words = rule.rule + ": " + rule.verdict;
    for (const std::string* more : {&rule.text, &rule.detail}) {
      if (!more->empty()) words += ", " + *more;
    }
    if (rule.score != 0) words += " (score " + score_text(rule.score) + ")";
    if (!rule.file.empty()) words += " at " + rule.file + ":" + std::to_string(rule.line);
    if (rule.shadow) words += " (shadow)";
    if (row.fact.empty()) {
      row.result = rule.verdict;
      row.fact = std::move(words);
    } else {
      row.details.push_back(std::move(words));
    }
  }
}

struct Describer {
  std::string_view check;
  void (*describe)(CheckRow& row, const Explanation& about);
};

constexpr Describer describers[] = {
    {"rate", describe_rate}, {"helo", describe_helo},   {"dnsbl", describe_dnsbl},
    {"rdns", describe_rdns}, {"spf", describe_spf},     {"dkim", describe_dkim},
    {"arc", describe_arc},   {"dmarc", describe_dmarc}, {"rules", describe_rules},
};

}  // namespace

std::vector<CheckRow> rows_of(const Explanation& about) {
  std::vector<CheckRow> rows;
  for (const auto& [check, mode] : about.checks) {
    CheckRow row;
    row.check = check;
    row.mode = mode;
    row.decided = about.check == check;
    for (const policies::Verdict& verdict : about.verdicts) {
      if (verdict.check != check) continue;
      row.score += verdict.score;
      row.result = policies::name(verdict.action);  // of a check that has no words of its own here
      row.fact = verdict.because;
    }
    for (const Describer& describer : describers) {
      if (describer.check != check) continue;
      row.fact.clear();
      describer.describe(row, about);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string_view name(policies::HeloFacts::Finding finding) {
  using Finding = policies::HeloFacts::Finding;
  switch (finding) {
    case Finding::ok:
      return "ok";
    case Finding::bare_ip:
      return "bare_ip";
    case Finding::literal_of_another:
      return "literal_of_another";
    case Finding::not_fully_qualified:
      return "not_fully_qualified";
    case Finding::localhost:
      return "localhost";
    case Finding::own_name:
      return "own_name";
    case Finding::bad_syntax:
      return "bad_syntax";
  }
  return "unknown";
}

std::string score_text(double score) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", score);
  return text;
}

}  // namespace sallyport::app
