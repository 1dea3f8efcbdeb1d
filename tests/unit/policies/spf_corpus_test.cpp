// The openspf test suite for RFC 7208 (corpora/spf-rfc7208), in process on a resolver that holds its zones.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway/base/text.h"
#include "policies/spf/evaluate.h"
#include "tests/support/corpora.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"

namespace sallyport::policies {
namespace {

spf::Identity identity_of(const nlohmann::json& given) {
  const std::string mail_from = given.at("mail_from");
  const std::string helo = given.at("helo");
  const std::size_t at = mail_from.rfind('@');
  spf::Identity identity;
  identity.ip = *IpAddress::parse(given.at("ip").get<std::string>());
  identity.local = mail_from.empty() || at == 0 ? "postmaster" : mail_from.substr(0, at);
  identity.domain = text::to_lower(mail_from.empty() ? helo : mail_from.substr(at + 1));
  identity.helo = helo;
  identity.receiver = "mx.example.org";
  return identity;
}

// What is wrong with our answer; empty: nothing.
std::string disagreement(const nlohmann::json& given, const nlohmann::json& records) {
  support::ManualLoop loop;
  support::TableResolver resolver(support::DnsZone::from_json(records, support::DnsZone::Strings::latin1));
  const auto check =
      loop.run_until_done(spf::evaluate(identity_of(given), resolver, loop.now() + std::chrono::seconds(20)));
  const auto accepted = given.at("accept").get<std::vector<std::string>>();
  const std::string result(word(check.result));
  if (std::find(accepted.begin(), accepted.end(), result) == accepted.end()) {
    return result + " for " + accepted.front() + " (" + check.mechanism + check.problem + ")";
  }
  if (check.result != AuthResult::fail || given.at("explanation").is_null()) return {};
  const std::string wanted = given.at("explanation");
  if (check.explanation == (wanted == "DEFAULT" ? "" : wanted)) return {};
  return "explanation: " + check.explanation;
}

TEST(SpfCorpus, AgreesWithUs) {
  const auto suite = support::load_corpus("spf-rfc7208/rfc7208-flat.json");
  SALLYPORT_SKIP_WITHOUT(suite);
  support::CorpusScore score("spf-rfc7208");
  for (const auto& given : suite->at("cases")) {
    const auto& zone = suite->at("zones").at(given.at("zone").get<std::size_t>());
    EXPECT_EQ(disagreement(given, zone.at("dns")), "") << given.at("id");
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::policies
