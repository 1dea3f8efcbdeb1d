// The test points of lists (RFC 5782, 5; threats.md D9).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "policies/dnsbl/dnsbl.h"
#include "policies/lists/list_health.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

constexpr const char* listed = "2.0.0.127.list.example";
constexpr const char* unlisted = "1.0.0.127.list.example";
constexpr const char* unlisted_ipv6 = "1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.list.example";
constexpr const char* listed_ipv6 = "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.list.example";

class DnsblSelfTest : public testing::Test {
 protected:
  void SetUp() override {
    world_.resolver.zone().a(listed, "127.0.0.2");
    world_.resolver.zone().a(listed_ipv6, "127.0.0.2");
  }

  static DnsblSettings settings(SelfTest mode = SelfTest::on) {
    DnsblSettings settings;
    settings.zones["list.example"].self_test = mode;
    return settings;
  }
  void self_test() { world_.self_test(*gatherer_); }
  // Whether the list is asked about a client; if not, whether it counts as failed.
  bool asks_about(const char* ip) {
    Facts facts;
    world_.gather(*gatherer_, Stage::connect, mail_of(ip), facts);
    failed_ = !facts.get<DnsblFacts>().failed.empty();
    return !facts.get<DnsblFacts>().evidence.empty();
  }

  PolicyWorld world_;
  std::unique_ptr<Gatherer> gatherer_ = world_.prepare(dnsbl_entry, settings());
  bool failed_ = false;
};

TEST_F(DnsblSelfTest, KeepsAHealthyListInService) {
  self_test();
  EXPECT_EQ(world_.resolver.asked().size(), 4u);
  EXPECT_TRUE(asks_about("192.0.2.1"));
  EXPECT_TRUE(asks_about("2001:db8::1"));
  EXPECT_EQ(world_.counters.get(Fault::dnsbl_wildcard), 0u);
  EXPECT_TRUE(world_.log.lines.empty());
}

TEST_F(DnsblSelfTest, TakesAListOutThatListsEverything) {
  const std::string all = "127.0.0.1 is listed";
  const std::string none = "for 127.0.0.1, which no list does";  // of a zone that was given up and sold
  for (const auto& [mode, code, reason] : {std::tuple(SelfTest::on, "127.0.0.2", all),
                                           {SelfTest::on, "203.0.113.7", "answered 203.0.113.7 " + none},
                                           {SelfTest::automatic, "127.0.0.9", all},
                                           {SelfTest::automatic, "127.0.0.1", "answered 127.0.0.1 " + none},
                                           {SelfTest::automatic, "203.0.113.7", "answered 203.0.113.7 " + none}}) {
    PolicyWorld world;
    world.resolver.zone().a(listed, "127.0.0.2");
    world.resolver.zone().a(unlisted, code);
    const auto gatherer = world.prepare(dnsbl_entry, settings(mode));
    world.self_test(*gatherer);
    EXPECT_EQ(world.counters.get(Fault::dnsbl_wildcard), 1u) << code;
    EXPECT_EQ(world.log.count({"event=fault", "kind=dnsbl_wildcard", "zone=list.example", reason}), 1u) << code;
    Facts facts;
    world.gather(*gatherer, Stage::connect, mail_of("192.0.2.1"), facts);
    EXPECT_TRUE(facts.get<DnsblFacts>().evidence.empty());
    ASSERT_EQ(facts.get<DnsblFacts>().failed.size(), 1u) << "never recorded as clean";
    EXPECT_EQ(facts.get<DnsblFacts>().failed[0].why, ListFailure::failed_test);
  }
}

TEST_F(DnsblSelfTest, TakesAListOutThatHasNoTestPointAndBackIn) {
  world_.resolver.zone().set(listed, dns::Type::A, dns::Status::nxdomain);
  self_test();
  EXPECT_FALSE(asks_about("192.0.2.1"));
  EXPECT_TRUE(failed_);
  EXPECT_EQ(world_.log.count({"kind=dnsbl_wildcard", "127.0.0.2 is not listed"}), 1u);

  world_.resolver.zone() = {};
  SetUp();
  world_.loop.advance(ListHealth::between_tests);
  self_test();
  EXPECT_TRUE(asks_about("192.0.2.1"));
  EXPECT_EQ(world_.log.count({"event=recovered", "kind=dnsbl_wildcard", "zone=list.example"}), 1u);
}

TEST_F(DnsblSelfTest, AListThatRefusesUsFailsItAndSaysSo) {
  for (const SelfTest mode : {SelfTest::on, SelfTest::automatic}) {
    for (const char* code : {"127.255.255.252", "127.255.255.254", "127.255.255.255", "127.255.255.0"}) {
      for (const auto& points : {std::vector{listed, unlisted}, {unlisted}, {listed}}) {
        PolicyWorld world;
        for (const char* point : points) world.resolver.zone().a(point, code);
        const auto gatherer = world.prepare(dnsbl_entry, settings(mode));
        world.self_test(*gatherer);
        EXPECT_EQ(world.log.count({"event=fault", "kind=dnsbl_wildcard", "zone=list.example", code}), 1u);
        EXPECT_EQ(world.log.count({"is listed"}) + world.log.count({"is not listed"}), 0u);
        Facts facts;
        world.gather(*gatherer, Stage::connect, mail_of("192.0.2.1"), facts);
        EXPECT_EQ(facts.get<DnsblFacts>().failed.at(0).why, ListFailure::failed_test);
      }
    }
  }
}

TEST_F(DnsblSelfTest, ByItselfAsksNoListForPointsThatItNeverHad) {
  world_.resolver.zone() = {};
  gatherer_ = world_.prepare(dnsbl_entry, settings(SelfTest::automatic));
  for (int i = 0; i < 3; ++i) {
    self_test();
    world_.loop.advance(ListHealth::between_tests);
  }
  EXPECT_TRUE(asks_about("192.0.2.1"));
  EXPECT_TRUE(asks_about("2001:db8::1"));
  EXPECT_TRUE(world_.log.lines.empty());
}

TEST_F(DnsblSelfTest, ByItselfNoticesThatAListHasEnded) {
  gatherer_ = world_.prepare(dnsbl_entry, settings(SelfTest::automatic));
  self_test();
  EXPECT_TRUE(asks_about("192.0.2.1"));
  world_.resolver.zone() = {};
  for (int i = 0; i < 3; ++i) {
    world_.loop.advance(ListHealth::between_tests);
    self_test();
  }
  EXPECT_FALSE(asks_about("192.0.2.1"));
  EXPECT_EQ(world_.log.count({"event=fault", "127.0.0.2 is not listed any more"}), 1u) << "once";
  EXPECT_EQ(world_.counters.get(Fault::dnsbl_wildcard), 1u);
  SetUp();
  world_.loop.advance(ListHealth::between_tests);
  self_test();
  EXPECT_TRUE(asks_about("192.0.2.1"));
  EXPECT_EQ(world_.log.count({"event=recovered"}), 1u);
}

TEST_F(DnsblSelfTest, StopsOnlyIpv6QuestionsOfAListThatListsAllOfIt) {
  for (const SelfTest mode : {SelfTest::on, SelfTest::automatic}) {
    PolicyWorld world;
    for (const char* point : {listed, listed_ipv6, unlisted_ipv6}) world.resolver.zone().a(point, "127.0.0.2");
    const auto gatherer = world.prepare(dnsbl_entry, settings(mode));
    world.self_test(*gatherer);
    EXPECT_EQ(world.log.count({"event=fault", "not asked about IPv6 clients: ::FFFF:127.0.0.1 is listed"}), 1u);
    for (const auto& [ip, is_asked] : {std::pair("192.0.2.1", true), {"2001:db8::1", false}}) {
      Facts facts;
      world.gather(*gatherer, Stage::connect, mail_of(ip), facts);
      EXPECT_EQ(facts.get<DnsblFacts>().evidence.size(), is_asked ? 1u : 0u) << ip;
    }
  }
}

TEST_F(DnsblSelfTest, OnlyStopsIpv6QuestionsOfAListWithoutItsPoint) {
  world_.resolver.zone().set(listed_ipv6, dns::Type::A, dns::Status::nxdomain);
  self_test();
  EXPECT_TRUE(asks_about("192.0.2.1"));
  EXPECT_FALSE(asks_about("2001:db8::1"));
  EXPECT_FALSE(failed_) << "a list without IPv6 entries does its part";
  EXPECT_EQ(world_.counters.get(Fault::dnsbl_wildcard), 0u);
}

TEST_F(DnsblSelfTest, ChangesNothingWhenTheListDoesNotAnswer) {
  for (const char* name : {listed, unlisted, listed_ipv6, unlisted_ipv6}) {
    world_.resolver.zone().set(name, dns::Type::A, dns::Status::timeout);
  }
  self_test();
  EXPECT_TRUE(asks_about("192.0.2.1"));
  EXPECT_TRUE(asks_about("2001:db8::1"));
}

TEST_F(DnsblSelfTest, AsksNoListWithoutATest) {
  const DnsblSettings quiet = settings(SelfTest::off);
  world_.self_test(*world_.prepare(dnsbl_entry, quiet));
  EXPECT_TRUE(world_.resolver.asked().empty());
}

TEST_F(DnsblSelfTest, TestsAListOnceHoweverManyConfigurationsHaveIt) {
  self_test();
  self_test();
  world_.self_test(*world_.prepare(dnsbl_entry, settings()));
  EXPECT_EQ(world_.resolver.asked().size(), 4u);
  world_.loop.advance(ListHealth::between_tests);
  self_test();
  EXPECT_EQ(world_.resolver.asked().size(), 8u);
}

}  // namespace
}  // namespace sallyport::policies
