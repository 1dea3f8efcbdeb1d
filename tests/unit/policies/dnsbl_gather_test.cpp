// Asking the lists: which, when, and what becomes of their answers.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "policies/dnsbl/dnsbl.h"
#include "policies/lists/list_name.h"
#include "policies/lists/list_table.h"
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
  // A connection of its own.
  DnsblFacts gather(const DnsblSettings& settings, const char* ip = "192.0.2.1") {
    Facts facts;
    world_.gather(*world_.prepare(dnsbl_entry, settings), Stage::connect, mail_of(ip), facts);
    return facts.get<DnsblFacts>();
  }

  PolicyWorld world_;
};

std::vector<std::string> failed_zones(const DnsblFacts& facts) {
  std::vector<std::string> zones;
  for (const auto& failed : facts.failed) zones.push_back(failed.list.zone);
  return zones;
}

TEST_F(DnsblGather, AsksEveryListOnceAndKeepsTheEvidence) {
  world_.resolver.zone().a("1.2.0.192.bad.example", "127.0.0.2");
  world_.resolver.zone().a("1.2.0.192.white.example", "127.0.0.5");
  DnsblSettings settings;
  settings.zones["bad.example"] = zone(8);
  settings.zones["clean.example"] = zone(4);
  settings.zones["white.example"] = DnsblZone{};
  const DnsblFacts facts = gather(settings);

  ASSERT_EQ(facts.hits.size(), 2u);
  EXPECT_EQ(facts.hits[0].list.zone, "bad.example");
  EXPECT_EQ(facts.hits[0].codes, std::vector<std::string>{"127.0.0.2"});
  EXPECT_EQ(facts.hits[1].list.zone, "white.example");
  EXPECT_EQ(facts.asked, (std::vector<std::string>{"bad.example", "clean.example", "white.example"}));
  EXPECT_TRUE(facts.failed.empty());
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
  Facts facts;
  const Transaction mail = mail_of("192.0.2.1");
  const Time begun = world_.loop.now();
  const GatherContext context{world_.loop.scheduler(), slow, world_.counters, world_.log, begun + 20s,
                              world_.body_hashes};
  const auto gatherer = world_.prepare(dnsbl_entry, settings);
  const auto gathering = gatherer->begin();
  world_.loop.run_until_done(gathering->gather(Stage::connect, mail, facts, context));
  EXPECT_LT(world_.loop.now() - begun, 3s);
  EXPECT_EQ(facts.get<DnsblFacts>().hits.size(), 1u);
}

TEST_F(DnsblGather, SkipsOnlyTheNetworksItIsToldTo) {
  DnsblSettings settings;
  settings.zones["bad.example"] = zone(8);
  settings.skip = {*IpNetwork::parse("192.0.2.0/24")};
  gather(settings);
  EXPECT_TRUE(world_.resolver.asked().empty());
  gather(settings, "127.0.0.1");
  gather(settings, "10.1.2.3");
  EXPECT_EQ(world_.resolver.asked().size(), 2u);
}

TEST_F(DnsblGather, AsksNothingAboutATrustedClient) {
  world_.resolver.zone().a("1.2.0.192.bad.example", "127.0.0.2");
  DnsblSettings settings;
  settings.zones["bad.example"] = zone(8);
  Facts facts;
  Transaction mail = mail_of("192.0.2.1");
  mail.client.is_trusted = true;
  world_.gather(*world_.prepare(dnsbl_entry, settings), Stage::connect, mail, facts);
  EXPECT_TRUE(world_.resolver.asked().empty());
  mail.rcpt = address("bob", "example.com");
  for (Stage stage : {Stage::rcpt, Stage::message}) {
    const Verdict said = only(judge(dnsbl_entry, stage, mail, facts, settings));
    EXPECT_EQ(said.action, Action::none);
    EXPECT_EQ(said.rule, "trusted");
    EXPECT_EQ(said.score, 0);
  }
  EXPECT_EQ(explain_dnsbl(mail, facts, settings).fact, "trusted.networks has the client");
  mail.client.is_trusted = false;
  settings.skip = {*IpNetwork::parse("192.0.2.0/24")};
  EXPECT_EQ(only(judge(dnsbl_entry, Stage::rcpt, mail, facts, settings)).rule, "skipped");
}

TEST_F(DnsblGather, RecordsAListThatFailsAsFailed) {
  auto& records = world_.resolver.zone();
  records.set("1.2.0.192.a.example", dns::Type::A, dns::Status::servfail);
  records.set("1.2.0.192.b.example", dns::Type::A, dns::Status::timeout);
  records.set("1.2.0.192.c.example", dns::Type::A, dns::Status::budget);
  records.a("1.2.0.192.d.example", "127.255.255.254");
  DnsblSettings settings;
  for (const char* name : {"a.example", "b.example", "c.example", "d.example"}) settings.zones[name] = zone(9);
  const DnsblFacts facts = gather(settings);
  EXPECT_TRUE(facts.hits.empty());
  EXPECT_EQ(failed_zones(facts), (std::vector<std::string>{"a.example", "b.example", "c.example", "d.example"}));
  EXPECT_EQ(facts.failed[1].why, ListFailure::no_answer);
  EXPECT_EQ(facts.failed[2].why, ListFailure::budget);
  EXPECT_EQ(facts.failed[3].why, ListFailure::list_error);
  EXPECT_EQ(facts.failed[3].codes, std::vector<std::string>{"127.255.255.254"});
  EXPECT_EQ(facts.asked.size(), 4u);
  EXPECT_EQ(facts.evidence.size(), 4u);
  EXPECT_EQ(world_.counters.get(Fault::dnsbl_error), 3u);
  for (const auto& [list, reason] : {std::pair("a.example", "no usable answer"),
                                     {"b.example", "no answer in time"},
                                     {"d.example", "answered 127.255.255.254, which is an error of the list"}}) {
    const std::string zone = std::string("zone=") + list;
    EXPECT_EQ(world_.log.count({"event=fault", "kind=dnsbl_error", zone, "ip=192.0.2.1", reason}), 1u) << list;
  }
}

// All that is shown or logged of a listed client, and of the list's self test.
std::string all_that_is_shown(const DnsblSettings& settings, const char* answer) {
  PolicyWorld world;
  for (const auto& [name, of_zone] : settings.zones) world.resolver.zone().a("1.2.0.192." + name, answer);
  const auto gatherer = world.prepare(dnsbl_entry, settings);
  Facts facts;
  Transaction mail = mail_of("192.0.2.1");
  mail.rcpt = address("bob", "example.com");
  std::string shown;
  for (bool is_tested : {false, true}) {
    if (is_tested) world.self_test(*gatherer);
    facts = Facts();
    world.gather(*gatherer, Stage::connect, mail, facts);
    shown += facts.to_json();
    const Findings told = facts.tell();
    for (const auto& [name, value] : told.words) shown += value + '\n';
    for (const dns::Evidence* asked : told.evidence) shown += asked->question.name + '\n';
    for (Stage stage : {Stage::rcpt, Stage::message}) {
      for (const Verdict& verdict : judge(dnsbl_entry, stage, mail, facts, settings)) {
        shown += verdict.rule + '\n' + verdict.because + '\n' + verdict.text + '\n';
      }
    }
    const Explained explained = explain_dnsbl(mail, facts, settings);
    shown += explained.fact + '\n';
    for (const std::string& line : explained.details) shown += line + '\n';
  }
  for (const std::string& line : world.log.lines) shown += line + '\n';
  return shown;
}

// Whatever the key looks like, wherever it stands, and whatever the list answers.
TEST_F(DnsblGather, HidesTheCustomersKey) {
  for (const std::string key : {"abcdefghijklmnopqrstuv2wxy", "48151623", "hunter", "cust_77", "9f8e7d6c5b4a"}) {
    for (const std::string& in_zone : {key + ".zen.dq.spamhaus.net", key + ".paid.example",
                                       "bl." + key + ".paid.example", key + ".a." + key + ".paid.co.uk"}) {
      for (const char* answer : {"127.0.0.2", "127.255.255.252", "203.0.113.1"}) {
        DnsblSettings settings;
        settings.reject_at = 5;
        settings.zones[in_zone] = zone(8);
        settings.zones[in_zone].self_test = SelfTest::on;
        settings.zones[key + ".named.example"] = zone(8);
        settings.zones[key + ".named.example"].name = "mine";
        const std::string shown = all_that_is_shown(settings, answer);
        EXPECT_EQ(shown.find(key), std::string::npos) << in_zone << ": " << shown;
        EXPECT_NE(shown.find("mine"), std::string::npos) << shown;
      }
    }
  }
}

TEST_F(DnsblGather, ShowsQuestionsUnderTheListsPublicName) {
  world_.resolver.zone().a("1.2.0.192.secret.paid.example", "127.0.0.2");
  DnsblSettings settings;
  settings.zones["secret.paid.example"] = zone(8);
  settings.zones["secrets.paid.example"] = zone(8);
  const DnsblFacts facts = gather(settings);
  EXPECT_EQ(facts.asked, (std::vector<std::string>{"paid.example", "paid.example#2"}));
  EXPECT_EQ(facts.evidence.at(0).question.name, "1.2.0.192.paid.example");
  EXPECT_EQ(facts.questions.at(0).name, "1.2.0.192.secret.paid.example");
  EXPECT_EQ(facts.hits.at(0).list.name, "paid.example");
}

// Facts that were read from a record know lists by name only.
TEST_F(DnsblGather, ARecordIsJudgedByNames) {
  world_.resolver.zone().a("1.2.0.192.secret.paid.example", "127.0.0.2");
  DnsblSettings settings;
  settings.zones["secret.paid.example"] = zone(8);
  settings.zones["z.example"] = zone(8);
  const Facts facts = facts_with(gather(settings));
  const auto read = Facts::from_json(*JsonValue::parse(facts.to_json()), {&dnsbl_facts});
  ASSERT_TRUE(read);
  Transaction mail = mail_of("192.0.2.1");
  mail.rcpt = address("bob", "example.com");
  const Verdict verdict = only(judge(dnsbl_entry, Stage::rcpt, mail, *read, settings));
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.rule, "paid.example");
  EXPECT_EQ(verdict.score, 8);
}

TEST_F(DnsblGather, LeavesAListAloneThatFailedTenTimesAndProbesIt) {
  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::servfail);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(1);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(gather(settings).failed.size(), 1u);
  EXPECT_EQ(world_.resolver.asked().size(), 10u);
  EXPECT_EQ(world_.log.count({"event=fault", "zone=a.example", "ip=192.0.2.1", "10 failures in a row"}), 1u);
  EXPECT_EQ(world_.log.count({"event=fault", "zone=a.example", "ip=192.0.2.1"}), 11u)
      << "each, and that it is given up";
  EXPECT_TRUE(gather(settings).evidence.empty());
  EXPECT_EQ(gather(settings).failed.at(0).why, ListFailure::set_aside);

  world_.loop.advance(60s);
  gather(settings);
  gather(settings);
  EXPECT_EQ(world_.resolver.asked().size(), 11u) << "one probe";

  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::nxdomain);
  world_.loop.advance(60s);
  EXPECT_TRUE(gather(settings).failed.empty());
  EXPECT_TRUE(gather(settings).failed.empty());
  EXPECT_EQ(world_.resolver.asked().size(), 13u);
  EXPECT_EQ(world_.log.count({"event=recovered", "kind=dnsbl_error", "zone=a.example", "IPv4"}), 1u);
}

TEST_F(DnsblGather, GivesAListUpForOneAddressFamilyOnly) {
  for (const auto& [broken, healthy] : {std::pair("2001:db8::7", "192.0.2.1"), {"192.0.2.1", "2001:db8::7"}}) {
    PolicyWorld world;
    DnsblSettings settings;
    settings.zones["a.example"] = zone(9);
    const auto gatherer = world.prepare(dnsbl_entry, settings);
    const auto ask = [&](const char* ip, dns::Status status) {
      const std::string name = list_query_name(IpAddress::parse(ip)->octets(), "a.example").value();
      world.resolver.zone() = {};
      if (status == dns::Status::ok) {
        world.resolver.zone().a(name, "127.0.0.2");
      } else {
        world.resolver.zone().set(name, dns::Type::A, status);
      }
      Facts facts;
      world.gather(*gatherer, Stage::connect, mail_of(ip), facts);
      return facts.get<DnsblFacts>();
    };
    for (int i = 0; i < 15; ++i) {
      EXPECT_EQ(ask(broken, dns::Status::servfail).failed.size(), 1u);
      if (i % 4 == 0) EXPECT_EQ(ask(healthy, dns::Status::ok).hits.size(), 1u) << "between them, too";
    }
    EXPECT_EQ(ask(broken, dns::Status::servfail).failed.at(0).why, ListFailure::set_aside);
    EXPECT_EQ(ask(healthy, dns::Status::ok).hits.size(), 1u);
  }
}

TEST_F(DnsblGather, AnAnswerFromTheCacheLeavesTheProbeToTheNext) {
  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::timeout);
  world_.resolver.zone().a("7.2.0.192.a.example", "127.0.0.2");
  DnsblSettings settings;
  settings.zones["a.example"] = zone(9);
  for (int i = 0; i < 10; ++i) gather(settings);
  world_.loop.advance(61s);
  world_.resolver.set_from_cache(true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(gather(settings, "192.0.2.7").hits.size(), 1u);
  EXPECT_EQ(world_.log.count({"event=recovered"}), 0u);
  world_.resolver.set_from_cache(false);
  EXPECT_EQ(gather(settings, "192.0.2.7").hits.size(), 1u) << "the list itself is asked";
  EXPECT_EQ(world_.log.count({"event=recovered"}), 1u);
}

TEST_F(DnsblGather, AQuestionThatManyWaitForIsOneFailure) {
  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::timeout);
  world_.resolver.zone().set("2.2.0.192.a.example", dns::Type::A, dns::Status::timeout);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(9);
  gather(settings);
  world_.resolver.set_from_cache(true);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(gather(settings).failed.size(), 1u);
  EXPECT_EQ(world_.log.count({"event=fault"}), 1u);
  EXPECT_EQ(gather(settings).failed.at(0).why, ListFailure::no_answer) << "it is asked";
}

TEST_F(DnsblGather, AClientThatLeavesDoesNotUseTheProbeUp) {
  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::timeout);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(9);
  for (int i = 0; i < 10; ++i) gather(settings);
  world_.loop.advance(61s);
  support::TableResolver slow({}, world_.loop.scheduler(), 2s);
  Facts facts;
  const Transaction mail = mail_of("192.0.2.1");
  const GatherContext context{world_.loop.scheduler(), slow, world_.counters, world_.log, world_.loop.now() + 20s,
                              world_.body_hashes};
  const auto gatherer = world_.prepare(dnsbl_entry, settings);
  const auto gathering = gatherer->begin();
  {
    async::Nursery nursery(world_.loop.scheduler());
    nursery.spawn(gathering->gather(Stage::connect, mail, facts, context));
    world_.loop.advance(1s);
  }
  world_.resolver.zone() = {};
  EXPECT_TRUE(gather(settings).failed.empty());
  EXPECT_EQ(world_.log.count({"event=recovered"}), 1u);
}

TEST_F(DnsblGather, WorkersShareWhatTheyKnowOfAList) {
  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::servfail);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(1);
  const ListTable table;
  std::vector<Learned> workers(3);
  for (Learned& worker : workers) worker.of<ListTable>() = table;
  for (int i = 0; i < 12; ++i) {
    const GathererParts parts{workers[static_cast<std::size_t>(i) % 3], world_.rates, world_.suffixes, world_.own};
    Facts facts;
    world_.gather(*dnsbl_entry.prepare(&settings, parts).value(), Stage::connect, mail_of("192.0.2.1"), facts);
  }
  EXPECT_EQ(world_.resolver.asked().size(), 10u);
  EXPECT_EQ(world_.log.count({"in a row"}), 1u);
}

TEST_F(DnsblGather, LearnsNothingOfAListFromTheCache) {
  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::servfail);
  world_.resolver.set_from_cache(true);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(1);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(gather(settings).failed.size(), 1u);
  EXPECT_EQ(world_.resolver.asked().size(), 15u);
  EXPECT_TRUE(world_.log.lines.empty());
}

TEST_F(DnsblGather, MayBeEndedWhereItWaits) {
  support::TableResolver slow({}, world_.loop.scheduler(), 2s);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(1);
  Facts facts;
  const Transaction mail = mail_of("192.0.2.1");
  const GatherContext context{world_.loop.scheduler(), slow, world_.counters, world_.log, world_.loop.now() + 20s,
                              world_.body_hashes};
  const auto gatherer = world_.prepare(dnsbl_entry, settings);
  const auto gathering = gatherer->begin();
  {
    async::Nursery nursery(world_.loop.scheduler());
    nursery.spawn(gathering->gather(Stage::connect, mail, facts, context));
    world_.loop.advance(1s);
  }
  world_.loop.advance(10s);
  EXPECT_EQ(facts.find<DnsblFacts>(), nullptr);
}

TEST_F(DnsblGather, KeepsWhatItHasLearnedOfAListOverAReload) {
  world_.resolver.zone().set("1.2.0.192.a.example", dns::Type::A, dns::Status::servfail);
  DnsblSettings settings;
  settings.zones["a.example"] = zone(1);
  for (int i = 0; i < 10; ++i) gather(settings);  // a gatherer each time
  settings.zones["a.example"] = zone(5);
  EXPECT_EQ(gather(settings).failed.at(0).why, ListFailure::set_aside);
  EXPECT_EQ(world_.resolver.asked().size(), 10u);
}

TEST_F(DnsblGather, AsksATenantsOwnListsWithTheFirstRecipient) {
  world_.resolver.zone().a("1.2.0.192.all.example", "127.0.0.2");
  world_.resolver.zone().a("1.2.0.192.all.example", "127.0.0.9");
  world_.resolver.zone().a("1.2.0.192.own.example", "127.0.0.2");
  world_.resolver.zone().set("1.2.0.192.slow.example", dns::Type::A, dns::Status::timeout);
  DnsblSettings of_all;
  of_all.zones["all.example"] = zone(8);
  of_all.zones["other.example"] = zone(8);
  of_all.zones["slow.example"] = zone(8);
  Facts facts;
  world_.gather(*world_.prepare(dnsbl_entry, of_all), Stage::connect, mail_of("192.0.2.1"), facts);
  EXPECT_EQ(world_.resolver.asked().size(), 3u);

  DnsblSettings of_tenant;
  of_tenant.zones["all.example"] = zone(3);
  of_tenant.zones["all.example"].reply = {*parse_reply_range("127.0.0.9")};
  of_tenant.zones["own.example"] = zone(4);
  of_tenant.zones["slow.example"] = zone(2);
  world_.gather(*world_.prepare(dnsbl_entry, of_tenant), Stage::connect, mail_of("192.0.2.1"), facts);
  EXPECT_EQ(world_.resolver.asked().size(), 4u);
  const DnsblFacts found = facts.get<DnsblFacts>();
  ASSERT_EQ(found.hits.size(), 2u);
  EXPECT_EQ(found.hits[0].list.zone, "all.example");
  EXPECT_EQ(found.hits[0].codes, std::vector<std::string>{"127.0.0.9"}) << "those that the tenant's settings count";
  EXPECT_EQ(found.hits[1].list.zone, "own.example");
  EXPECT_EQ(failed_zones(found), std::vector<std::string>{"slow.example"});
  EXPECT_EQ(found.asked, (std::vector<std::string>{"other.example", "all.example", "own.example", "slow.example"}));
  EXPECT_EQ(found.evidence.size(), 4u);

  double sum = 0;
  for (const Verdict& verdict : judge(dnsbl_entry, Stage::message, mail_of("192.0.2.1"), facts, of_tenant)) {
    sum += verdict.score;
  }
  EXPECT_DOUBLE_EQ(sum, 7);
}

TEST_F(DnsblGather, AsksASkippedTenantsClientNothingMore) {
  world_.resolver.zone().a("1.2.0.192.all.example", "127.0.0.2");
  DnsblSettings settings;
  settings.zones["all.example"] = zone(8);
  Facts facts;
  world_.gather(*world_.prepare(dnsbl_entry, settings), Stage::connect, mail_of("192.0.2.1"), facts);
  settings.skip = {*IpNetwork::parse("192.0.2.0/24")};
  settings.zones["own.example"] = zone(4);
  world_.gather(*world_.prepare(dnsbl_entry, settings), Stage::connect, mail_of("192.0.2.1"), facts);
  EXPECT_EQ(world_.resolver.asked().size(), 1u);
  EXPECT_EQ(facts.get<DnsblFacts>().hits.size(), 1u);
  for (Stage stage : {Stage::rcpt, Stage::message}) {
    EXPECT_EQ(only(judge(dnsbl_entry, stage, mail_of("192.0.2.1"), facts, settings)).rule, "skipped");
  }
}

TEST(DnsblGatherer, AsksAtConnectBesideTheDialogue) {
  PolicyWorld world;
  DnsblSettings settings;
  EXPECT_FALSE(world.prepare(dnsbl_entry, settings)->gathers_at(Stage::connect)) << "no lists";
  settings.zones["a.example"] = zone(9);
  const auto gatherer = world.prepare(dnsbl_entry, settings);
  EXPECT_FALSE(gatherer->precedes_greeting());
  for (Stage stage :
       {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::message, Stage::done}) {
    EXPECT_EQ(gatherer->gathers_at(stage), stage == Stage::connect);
  }
}

}  // namespace
}  // namespace sallyport::policies
