// Independent cases of list look-ups (corpora/dnsbl): the names asked, the codes found, allow lists, health checks.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "policies/dnsbl/dnsbl.h"
#include "policies/lists/list_name.h"
#include "tests/support/corpora.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

void run_look_up(const nlohmann::json& given, const support::DnsZone& records) {
  const std::string ip = given.at("client_ip");
  const std::string zone = given.at("zone");
  DnsblSettings settings;
  settings.reject_at = 1;
  settings.zones[zone].score = 1;
  if (given.contains("allow_zone")) settings.zones[given["allow_zone"].get<std::string>()].score = -1;
  PolicyWorld world;
  world.resolver.zone() = records;
  Facts facts;
  world.gather(*world.prepare(dnsbl_entry, settings), Stage::connect, mail_of(ip.c_str()), facts);
  const DnsblFacts found = facts.get<DnsblFacts>();

  EXPECT_EQ(list_query_name(IpAddress::parse(ip)->octets(), zone), given.at("query").get<std::string>());
  EXPECT_TRUE(found.failed.empty());
  std::vector<std::string> codes;
  for (const auto& hit : found.hits) {
    if (hit.list.zone == zone) codes = hit.codes;
  }
  EXPECT_EQ(codes, given.at("expect").get<std::vector<std::string>>());
  const bool is_refused = !codes.empty() && !given.contains("allow_zone");
  const Verdict verdict = only(judge(dnsbl_entry, Stage::rcpt, mail_of(ip.c_str()), facts, settings));
  EXPECT_EQ(verdict.action, is_refused ? Action::reject : Action::none);
}

void run_health_check(const nlohmann::json& given, const support::DnsZone& records) {
  DnsblSettings settings;
  settings.zones[given.at("health_check_zone").get<std::string>()].self_test = SelfTest::on;
  PolicyWorld world;
  world.resolver.zone() = records;
  const auto gatherer = world.prepare(dnsbl_entry, settings);
  world.self_test(*gatherer);
  Facts facts;
  world.gather(*gatherer, Stage::connect, mail_of("192.0.2.1"), facts);
  EXPECT_EQ(facts.get<DnsblFacts>().failed.empty(), given.at("expect_healthy").get<bool>());
}

TEST(DnsblCorpus, AgreesWithUs) {
  const auto suite = support::load_corpus("dnsbl/cases.json");
  SALLYPORT_SKIP_WITHOUT(suite);
  support::CorpusScore score("dnsbl");
  const support::DnsZone records = support::DnsZone::from_json(suite->at("dns"));
  for (const auto& given : suite->at("cases")) {
    SCOPED_TRACE(given.at("name").get<std::string>());
    given.contains("health_check_zone") ? run_health_check(given, records) : run_look_up(given, records);
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::policies
