// The client's reverse name: whether it leads back, and what that counts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/dns/reverse_name.h"
#include "policies/rdns/rdns.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

constexpr const char* client_ptr = "1.2.0.192.in-addr.arpa";

RdnsFacts gather(PolicyWorld& world, const char* ip = "192.0.2.1") {
  const GatherContext context = world.context();
  return world.loop.run_until_done(gather_rdns(*IpAddress::parse(ip), context));
}

TEST(ReverseName, IsTheAddressBackwards) {
  EXPECT_EQ(dns::reverse_name(*IpAddress::parse("192.0.2.1")), client_ptr);
  EXPECT_EQ(dns::reverse_name(*IpAddress::parse("::ffff:192.0.2.1")), client_ptr);
  EXPECT_EQ(dns::reverse_name(*IpAddress::parse("2001:db8::cb01")),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(GatherRdns, PassesWhenANameLeadsBack) {
  PolicyWorld world;
  world.resolver.zone().ptr(client_ptr, "other.example.org");
  world.resolver.zone().ptr(client_ptr, "Mail.example.org");
  world.resolver.zone().ptr(client_ptr, "third.example.org");
  world.resolver.zone().a("mail.example.org", "192.0.2.9");
  world.resolver.zone().a("mail.example.org", "192.0.2.1");
  const RdnsFacts facts = gather(world);
  EXPECT_EQ(facts.result, AuthResult::pass);
  EXPECT_EQ(facts.name, "mail.example.org");
  EXPECT_EQ(facts.names.size(), 3u);
  EXPECT_EQ(facts.evidence.size(), 3u);
  EXPECT_EQ(world.resolver.count({"third.example.org", dns::Type::A}), 0u);
}

TEST(GatherRdns, AsksForAddressesOfTheClientsFamily) {
  PolicyWorld world;
  world.resolver.zone().ptr("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                            "six.example.org");
  world.resolver.zone().a("six.example.org", "2001:db8::1");
  EXPECT_EQ(gather(world, "2001:db8::1").result, AuthResult::pass);
  EXPECT_EQ(world.resolver.count({"six.example.org", dns::Type::AAAA}), 1u);
}

TEST(GatherRdns, FailsWhenNoNameLeadsBack) {
  PolicyWorld world;
  world.resolver.zone().ptr(client_ptr, "mail.example.org");
  world.resolver.zone().a("mail.example.org", "192.0.2.9");
  EXPECT_EQ(gather(world).result, AuthResult::fail);
  EXPECT_EQ(gather(world).name, "mail.example.org");
  world.resolver.zone().ptr("2.2.0.192.in-addr.arpa", "nowhere.example.org");
  EXPECT_EQ(gather(world, "192.0.2.2").result, AuthResult::fail);
}

TEST(GatherRdns, IsAPermanentErrorWithoutAName) {
  PolicyWorld world;
  EXPECT_EQ(gather(world).result, AuthResult::permerror);
  world.resolver.zone().set(client_ptr, dns::Type::PTR, dns::Status::no_data);
  EXPECT_EQ(gather(world).result, AuthResult::permerror);
  EXPECT_EQ(gather(world).name, "");
}

TEST(GatherRdns, CannotSayWhenTheDnsFails) {
  PolicyWorld world;
  world.resolver.zone().set(client_ptr, dns::Type::PTR, dns::Status::servfail);
  EXPECT_EQ(gather(world).result, AuthResult::temperror);
  world.resolver.zone().ptr("2.2.0.192.in-addr.arpa", "slow.example.org");
  world.resolver.zone().ptr("2.2.0.192.in-addr.arpa", "wrong.example.org");
  world.resolver.zone().set("slow.example.org", dns::Type::A, dns::Status::timeout);
  world.resolver.zone().a("wrong.example.org", "192.0.2.9");
  EXPECT_EQ(gather(world, "192.0.2.2").result, AuthResult::temperror);
  world.resolver.zone().a("wrong.example.org", "192.0.2.2");
  EXPECT_EQ(gather(world, "192.0.2.2").result, AuthResult::pass);
}

TEST(GatherRdns, LooksAtTheFirstTenNamesThatAreHostNames) {
  PolicyWorld world;
  world.resolver.zone().ptr(client_ptr, "<script>.example.org");
  world.resolver.zone().ptr(client_ptr, "sp ace.example.org");
  for (int i = 3; i <= 10; ++i) world.resolver.zone().ptr(client_ptr, "h" + std::to_string(i) + ".example.org");
  world.resolver.zone().ptr(client_ptr, "right.example.org");
  world.resolver.zone().a("right.example.org", "192.0.2.1");
  const RdnsFacts facts = gather(world);
  EXPECT_EQ(facts.result, AuthResult::fail);
  EXPECT_EQ(facts.names.size(), 8u);
  EXPECT_EQ(facts.name, "h3.example.org");
  EXPECT_EQ(world.resolver.asked().size(), 9u);
}

TEST(GatherRdns, WaitsFiveSecondsAtMost) {
  support::ManualLoop loop;
  support::TableResolver resolver({}, loop.scheduler(), std::chrono::seconds(1));
  for (int i = 0; i < 10; ++i) resolver.zone().ptr(client_ptr, "h" + std::to_string(i) + ".example.org");
  Counters counters;
  support::LinesLog log;
  const std::vector<signature::BodyHash> none;
  const GatherContext context{loop.scheduler(), resolver, counters, log, loop.now() + std::chrono::seconds(20), none};
  const Time began = loop.now();
  const RdnsFacts facts = loop.run_until_done(gather_rdns(*IpAddress::parse("192.0.2.1"), context));
  EXPECT_EQ(facts.result, AuthResult::temperror);
  EXPECT_LT(loop.now() - began, std::chrono::seconds(6));
}

TEST(RdnsGatherer, AsksOnceForAConnection) {
  PolicyWorld world;
  const auto gatherer = world.prepare(rdns_entry, RdnsSettings());
  Facts facts;
  world.gather(*gatherer, Stage::connect, mail_of("192.0.2.1"), facts);
  world.gather(*gatherer, Stage::connect, mail_of("192.0.2.1"), facts);
  EXPECT_EQ(facts.get<RdnsFacts>().result, AuthResult::permerror);
  EXPECT_EQ(world.resolver.asked().size(), 1u);
  EXPECT_FALSE(gatherer->precedes_greeting());
}

std::vector<Verdict> judge_message(const RdnsFacts& facts) {
  return judge(rdns_entry, Stage::message, mail_of("192.0.2.1"), facts_with(facts), RdnsSettings());
}

TEST(JudgeRdns, CountsAClientWithoutATrueName) {
  const RdnsSettings settings;
  RdnsFacts facts;
  EXPECT_TRUE(judge_message(facts).empty());
  facts.result = AuthResult::pass;
  EXPECT_TRUE(judge_message(facts).empty());
  facts.result = AuthResult::permerror;
  EXPECT_EQ(only(judge_message(facts)).score, settings.score);
  EXPECT_EQ(only(judge_message(facts)).because, "the client's address has no name");
  facts.result = AuthResult::fail;
  EXPECT_EQ(only(judge_message(facts)).because, "the client's address has no name that a host can bear");
  facts.names = {"a.example.org", "b.example.org"};
  const Verdict verdict = only(judge_message(facts));
  EXPECT_EQ(verdict.score, settings.score);
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.because, "a.example.org,b.example.org does not lead back to the client's address");
  EXPECT_TRUE(judge(rdns_entry, Stage::rcpt, mail_of("192.0.2.1"), facts_with(facts), settings).empty());
}

TEST(JudgeRdns, SaysThatItDoesNotKnowWhenTheDnsFails) {
  RdnsFacts facts;
  facts.result = AuthResult::temperror;
  const Verdict verdict = only(judge_message(facts));
  EXPECT_TRUE(verdict.is_unknown);
  EXPECT_EQ(verdict.score, 0);
  EXPECT_EQ(verdict.action, Action::none);
}

TEST(Rdns, TellsTheConfirmedNameAndNoOther) {
  RdnsFacts facts;
  facts.result = AuthResult::fail;
  facts.name = "mail.example.org";
  facts.evidence.push_back({{client_ptr, dns::Type::PTR}, {}});
  EXPECT_EQ(facts_with(facts).tell().client_name, "");
  facts.result = AuthResult::pass;
  EXPECT_EQ(facts_with(facts).tell().client_name, "mail.example.org");
  EXPECT_EQ(facts_with(facts).tell().evidence.size(), 1u);
}

TEST(Rdns, StandsInTheAuthenticationResults) {
  mail::AuthResults results;
  rdns_entry.auth_results(mail_of("192.0.2.1"), Facts(), results);
  EXPECT_TRUE(results.methods.empty());
  RdnsFacts facts;
  facts.result = AuthResult::pass;
  facts.name = "mail.example.org";
  rdns_entry.auth_results(mail_of("192.0.2.1"), facts_with(facts), results);
  ASSERT_EQ(results.methods.size(), 1u);
  EXPECT_EQ(results.methods[0].method, "iprev");
  EXPECT_EQ(results.methods[0].result, "pass");
  EXPECT_EQ(results.methods[0].comment, "mail.example.org");
  EXPECT_EQ(results.methods[0].value("policy", "iprev"), "192.0.2.1");
}

TEST(ExplainRdns, SaysWhetherTheNameLeadsBack) {
  const Transaction mail = mail_of("192.0.2.1");
  const auto explain = [&mail](const RdnsFacts& facts) {
    return explain_rdns(mail, facts_with(facts), RdnsSettings());
  };
  EXPECT_EQ(explain_rdns(mail, Facts(), RdnsSettings()).result, "not run");
  RdnsFacts facts;
  facts.result = AuthResult::permerror;
  EXPECT_EQ(explain(facts).fact, "192.0.2.1 has no usable name");
  facts.result = AuthResult::temperror;
  EXPECT_EQ(explain(facts).fact, "the DNS does not tell");
  facts.names = {"a.example.org", "b.example.org"};
  facts.name = "b.example.org";
  facts.result = AuthResult::fail;
  EXPECT_EQ(explain(facts).fact, "a.example.org, b.example.org does not lead back to 192.0.2.1");
  facts.result = AuthResult::pass;
  EXPECT_EQ(explain(facts).result, "pass");
  EXPECT_EQ(explain(facts).fact, "b.example.org");
}

}  // namespace
}  // namespace sallyport::policies
