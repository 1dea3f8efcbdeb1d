// Asking the lists: which, when, and what becomes of their answers.
#include <gtest/gtest.h>

#include <string>

#include "policies/dnsbl/dnsbl.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

using namespace std::chrono_literals;

DnsblZone zone(double score) {
  DnsblZone of_zone;
  of_zone.score = score;
  return of_zone;
}

class DnsblGather : public testing::Test {
 protected:
  DnsblFacts gather(const DnsblPolicy& policy, const char* ip = "192.0.2.1") {
    Facts facts;
    world_.gather(policy, Stage::connect, mail_of(ip), facts);
    return facts.dnsbl;
  }

  PolicyWorld world_;
};

TEST_F(DnsblGather, AsksEveryListOnceAndKeepsTheEvidence) {
  world_.resolver.zone().a("1.2.0.192.bad.example", "127.0.0.2");
  world_.resolver.zone().a("1.2.0.192.white.example", "127.0.0.5");
  DnsblSettings settings;
  settings.score = 3;
  settings.zones["bad.example"] = zone(8);
  settings.zones["clean.example"] = zone(4);
  settings.zones["white.example"] = DnsblZone{};
  const DnsblFacts facts = gather(DnsblPolicy(settings));

  ASSERT_EQ(facts.hits.size(), 2u);
  EXPECT_EQ(facts.hits[0].zone, "bad.example");
  EXPECT_EQ(facts.hits[0].codes, std::vector<std::string>{"127.0.0.2"});
  EXPECT_DOUBLE_EQ(facts.hits[0].score, 8);
  EXPECT_DOUBLE_EQ(facts.hits[1].score, 3) << "of a zone without a score of its own";
  EXPECT_TRUE(facts.failed_zones.empty());
  ASSERT_EQ(facts.evidence.size(), 3u);
  EXPECT_EQ(facts.evidence[1].question, (dns::Question{"1.2.0.192.clean.example", dns::Type::A}));
  EXPECT_EQ(facts.evidence[1].answer.status, dns::Status::nxdomain);
  EXPECT_EQ(facts.evidence[0].answer.records.size(), 1u);
  EXPECT_EQ(world_.resolver.asked().size(), 3u);
}

TEST_F(DnsblGather, AsksAllListsAtTheSameTime) {
  support::DnsZone records;
  records.a("1.2.0.192.b.example", "127.0.0.2");
  support::TableResolver slow(records, world_.loop.scheduler(), 2s);
  DnsblSettings settings;
  for (const char* name : {"a.example", "b.example", "c.example"}) settings.zones[name] = zone(1);
  const DnsblPolicy policy(settings);
  Facts facts;
  const Transaction mail = mail_of("192.0.2.1");
  const Time begun = world_.loop.now();
  const Surroundings around{world_.loop.scheduler(), slow, world_.counters, world_.log, begun + 20s};
  world_.loop.run_until_done(policy.gather(Stage::connect, mail, facts, around));
  EXPECT_LT(world_.loop.now() - begun, 3s);
  EXPECT_EQ(facts.dnsbl.hits.size(), 1u);
}

TEST_F(DnsblGather, SkipsOnlyTheNetworksItIsToldTo) {
  DnsblSettings settings;
  settings.zones["bad.example"] = zone(8);
  settings.skip = {*IpNetwork::parse("192.0.2.0/24")};
  const DnsblPolicy policy(settings);
  gather(policy);
  EXPECT_TRUE(world_.resolver.asked().empty());
  gather(policy, "127.0.0.1");
  gather(policy, "10.1.2.3");
  EXPECT_EQ(world_.resolver.asked().size(), 2u);
}

TEST_F(DnsblGather, RecordsAListThatFailsAsFailed) {
  auto& records = world_.resolver.zone();
  records.set("1.2.0.192.a.example", dns::Type::A, dns::Status::servfail);
  records.set("1.2.0.192.b.example", dns::Type::A, dns::Status::timeout);
  records.set("1.2.0.192.c.example", dns::Type::A, dns::Status::budget);
  records.a("1.2.0.192.d.example", "127.255.255.254");
  DnsblSettings settings;
  for (const char* name : {"a.example", "b.example", "c.example", "d.example"}) settings.zones[name] = zone(9);
  const DnsblFacts facts = gather(DnsblPolicy(settings));
  EXPECT_TRUE(facts.hits.empty());
  EXPECT_EQ(facts.failed_zones, (std::vector<std::string>{"a.example", "b.example", "c.example", "d.example"}));
  EXPECT_EQ(facts.evidence.size(), 4u);
  EXPECT_EQ(world_.counters.get(Fault::dnsbl_error), 1u);
  EXPECT_EQ(world_.log.count({"event=fault", "kind=dnsbl_error", "zone=d.example", "answer=127.255.255.254"}), 1u);
}

TEST_F(DnsblGather, ForgetsWhatAnEarlierConnectionFound) {
  world_.resolver.zone().a("1.2.0.192.bad.example", "127.0.0.2");
  DnsblSettings settings;
  settings.zones["bad.example"] = zone(8);
  const DnsblPolicy policy(settings);
  Facts facts;
  world_.gather(policy, Stage::connect, mail_of("192.0.2.1"), facts);
  ASSERT_EQ(facts.dnsbl.hits.size(), 1u);
  world_.gather(policy, Stage::connect, mail_of("192.0.2.2"), facts);
  EXPECT_TRUE(facts.dnsbl.hits.empty());
}

TEST_F(DnsblGather, HidesTheCustomersKey) {
  const std::string key = "abcdefghijklmnopqrstuv2wxy";
  world_.resolver.zone().a("1.2.0.192." + key + ".zen.dq.spamhaus.net", "127.0.0.2");
  world_.resolver.zone().a("1.2.0.192." + key + ".xbl.dq.spamhaus.net", "127.255.255.252");
  DnsblSettings settings;
  settings.zones[key + ".zen.dq.spamhaus.net"] = zone(8);
  settings.zones[key + ".xbl.dq.spamhaus.net"] = zone(8);
  const DnsblFacts facts = gather(DnsblPolicy(settings));
  ASSERT_EQ(facts.hits.size(), 1u);
  EXPECT_EQ(facts.hits[0].zone, "zen.dq.spamhaus.net");
  EXPECT_EQ(facts.failed_zones, std::vector<std::string>{"xbl.dq.spamhaus.net"});
  EXPECT_FALSE(world_.log.lines.empty());
  EXPECT_EQ(world_.log.count({key}), 0u);
}

TEST_F(DnsblGather, LeavesAListAloneThatFailedTenTimesAndProbesIt) {
  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::servfail);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(1);
  const DnsblPolicy policy(settings);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(gather(policy).failed_zones.size(), 1u);
  EXPECT_EQ(world_.resolver.asked().size(), 10u);
  EXPECT_EQ(world_.log.count({"event=fault", "zone=a.example", "10 failures in a row"}), 1u);
  EXPECT_TRUE(gather(policy).evidence.empty());

  world_.loop.advance(60s);
  gather(policy);
  gather(policy);
  EXPECT_EQ(world_.resolver.asked().size(), 11u) << "one probe";

  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::nxdomain);
  world_.loop.advance(60s);
  EXPECT_TRUE(gather(policy).failed_zones.empty());
  EXPECT_TRUE(gather(policy).failed_zones.empty());
  EXPECT_EQ(world_.resolver.asked().size(), 13u);
}

TEST_F(DnsblGather, LearnsNothingOfAListFromTheCache) {
  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::servfail);
  world_.resolver.set_from_cache(true);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(1);
  const DnsblPolicy policy(settings);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(gather(policy).failed_zones.size(), 1u);
  EXPECT_EQ(world_.resolver.asked().size(), 15u);
  EXPECT_TRUE(world_.log.lines.empty());
}

TEST_F(DnsblGather, MayBeEndedWhereItWaits) {
  support::TableResolver slow({}, world_.loop.scheduler(), 2s);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(1);
  const DnsblPolicy policy(settings);
  Facts facts;
  const Transaction mail = mail_of("192.0.2.1");
  const Surroundings around{world_.loop.scheduler(), slow, world_.counters, world_.log, world_.loop.now() + 20s};
  {
    async::Nursery nursery(world_.loop.scheduler());
    nursery.spawn(policy.gather(Stage::connect, mail, facts, around));
    world_.loop.advance(1s);
  }
  world_.loop.advance(10s);
  EXPECT_TRUE(facts.dnsbl.evidence.empty());
}

TEST(DnsblPolicy, HasNothingToDoWithoutLists) {
  const DnsblPolicy idle{DnsblSettings{}};
  EXPECT_FALSE(idle.gathers_at(Stage::connect));
  EXPECT_FALSE(idle.judges_at(Stage::rcpt));
}

TEST(DnsblPolicy, TakesPartAtItsStages) {
  DnsblSettings settings;
  settings.mode = Mode::shadow;
  settings.zones["a.example"] = zone(9);
  const DnsblPolicy policy(settings);
  EXPECT_EQ(policy.mode(), Mode::shadow);
  for (Stage stage :
       {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::message, Stage::done}) {
    EXPECT_EQ(policy.gathers_at(stage), stage == Stage::connect);
    EXPECT_EQ(policy.judges_at(stage), stage == Stage::rcpt || stage == Stage::message);
  }
  Facts facts;
  facts.dnsbl.hits = {{"a.example", {"127.0.0.2"}, 9}};
  EXPECT_EQ(policy.judge(Stage::rcpt, mail_of("192.0.2.1"), facts).action, Action::reject);
}

}  // namespace
}  // namespace sallyport::policies
