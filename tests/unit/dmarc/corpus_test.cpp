// Independent cases of DMARC evaluation (corpora/dmarc-mailauth), those of RFC 9989 too.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "gateway/mail/author_domains.h"
#include "policies/dmarc/record.h"
#include "tests/support/corpora.h"
#include "tests/unit/dmarc/world.h"

namespace sallyport::policies {
namespace {

using Json = nlohmann::json;

// Where we answer otherwise on purpose.
const std::map<std::string, std::string> contested = {
    // Two records at a name count as none there and the walk goes on, as RFC 9989 has it; that library ends with
    // "none".
    {"mailauth-dmarc-005", "two records at the author domain"},
};

// header_from is an address, a domain, or a list of addresses.
std::string from_field(const Json& header_from) {
  std::string value;
  if (header_from.is_array()) {
    for (const Json& address : header_from) value += (value.empty() ? "" : ", ") + address.get<std::string>();
  } else {
    value = header_from;
  }
  return "From: " + (value.find('@') == std::string::npos ? "user@" + value : value) + "\r\n\r\n";
}

std::string policy_when_failed(const DmarcFacts& facts) { return std::string(word(facts.effective)); }

// What differs, or nothing.
std::string differences(const Json& expect, const DmarcFacts& facts, const std::vector<dns::Question>& asked) {
  std::string found;
  const auto check = [&](const char* key, const std::string& actual) {
    const auto wanted = expect.find(key);
    if (wanted == expect.end() || wanted->is_null()) return;
    const std::string text =
        wanted->is_boolean() ? (wanted->get<bool>() ? "true" : "false") : wanted->get<std::string>();
    if (text != actual) found += std::string(key) + ": " + actual + " instead of " + text + "; ";
  };
  check("result", std::string(word(facts.result)));
  check("policy", policy_when_failed(facts));
  check("policy_domain", facts.policy_domain);
  check("header_from", facts.from_domain);
  check("adkim", facts.strict_dkim ? "s" : "r");
  check("aspf", facts.strict_spf ? "s" : "r");
  check("dkim_aligned", facts.dkim_aligned ? "true" : "false");
  // That library names the organization that the sender's domain belongs to.
  check("spf_aligned_domain", facts.spf_aligned ? facts.organizational_domain : "");
  // Where nothing had to be walked for, the organization was not asked for.
  if (!facts.organizational_domain.empty()) check("organizational_domain", facts.organizational_domain);
  const auto record = parse_dmarc_record(facts.record);
  if (expect.contains("record_p")) check("record_p", record ? std::string(word(record->own_policy())) : "");
  if (expect.contains("record_sp")) check("record_sp", record ? std::string(word(record->policy_below())) : "");
  if (const auto wanted = expect.find("dmarc_queries_in_order"); wanted != expect.end()) {
    Json names = Json::array();
    for (const dns::Question& question : asked) names.push_back(question.name);
    if (names != *wanted) found += "asked " + names.dump() + "; ";
  }
  return found;
}

std::string run(const Json& one) {
  const std::string header = from_field(one.at("header_from"));
  const mail::AuthorDomains authors = mail::author_domains(mail::HeaderSection(header));
  if (one.at("expect").value("result", "") == "skip") return one.at("header_from").size() > 1 ? "" : "one author only";
  if (authors.domains.size() != 1) return "not one author domain";

  DmarcWorld world;
  world.resolver.zone() = support::DnsZone::from_json(one.at("dns"));
  if (one.contains("dns_default")) world.resolver.zone().set_default(one.at("dns_default").get<std::string>());
  std::vector<AuthIdentifier> identifiers;
  // That library aligns SPF with whichever domain passed; so do we, but a sender has one domain.
  for (const Json& domain : one.at("spf_pass_domains")) identifiers.push_back(spf(domain));
  for (const Json& domain : one.at("dkim_pass_domains")) identifiers.push_back(dkim(domain));
  const DmarcFacts facts = world.evaluate(authors.domains.front(), identifiers);
  return differences(one.at("expect"), facts, world.resolver.asked());
}

TEST(DmarcCorpus, AgreesWithEveryCase) {
  const auto corpus = support::load_corpus("dmarc-mailauth/cases.json");
  SALLYPORT_SKIP_WITHOUT(corpus);
  support::CorpusScore score("dmarc-mailauth");
  for (const Json& one : corpus->at("cases")) {
    const std::string id = one.at("id");
    const std::string wrong = run(one);
    if (contested.contains(id)) {
      EXPECT_NE(wrong, "") << id << " is no longer contested";
      continue;
    }
    EXPECT_EQ(wrong, "") << id << ": " << one.at("name");
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::policies
