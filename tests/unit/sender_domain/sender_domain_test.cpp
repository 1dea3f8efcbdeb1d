// Whether the sender's domain can be replied to: what is asked, what it counts, what is shown.
#include "policies/sender_domain/sender_domain.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/random_fields.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

using namespace std::chrono_literals;
using Finding = SenderDomainFinding;

Transaction mail_from(const std::string& domain) {
  Transaction mail = mail_of("192.0.2.1");
  mail.from = domain.empty() ? MailAddress{} : address("ann", domain);
  return mail;
}

class GatherSenderDomain : public testing::Test {
 protected:
  Finding finding_of(const std::string& domain) {
    Facts facts;
    world_.gather(*gatherer_, Stage::mail, mail_from(domain), facts);
    found_ = facts.get<SenderDomainFacts>();
    return found_.finding;
  }
  support::DnsZone& zone() { return world_.resolver.zone(); }
  std::size_t asked(const char* name, dns::Type type) { return world_.resolver.count({name, type}); }

  PolicyWorld world_;
  std::unique_ptr<Gatherer> gatherer_ = world_.prepare(sender_domain_entry, SenderDomainSettings());
  SenderDomainFacts found_;
};

TEST_F(GatherSenderDomain, IsContentWithAnMx) {
  zone().mx("example.org", 10, "mx.example.org");
  EXPECT_EQ(finding_of("example.org"), Finding::mail_exchanger);
  EXPECT_EQ(found_.domain, "example.org");
  ASSERT_EQ(found_.evidence.size(), 1u);
  EXPECT_EQ(found_.evidence[0].question, (dns::Question{"example.org", dns::Type::MX}));
  EXPECT_EQ(world_.resolver.asked().size(), 1u);
}

TEST_F(GatherSenderDomain, TakesAnAddressOfEitherFamilyWhereThereIsNoMx) {
  zone().a("four.example.org", "192.0.2.25");
  zone().a("six.example.org", "2001:db8::25");
  EXPECT_EQ(finding_of("four.example.org"), Finding::address);
  EXPECT_EQ(found_.evidence.size(), 3u);
  EXPECT_EQ(finding_of("six.example.org"), Finding::address);
}

TEST_F(GatherSenderDomain, KnowsANullMx) {
  zone().mx("example.org", 0, ".");
  zone().a("example.org", "192.0.2.25");
  EXPECT_EQ(finding_of("example.org"), Finding::null_mx);
  EXPECT_EQ(asked("example.org", dns::Type::A), 0u) << "an address does not help (RFC 7505, 3)";
  zone().mx("example.org", 10, "mx.example.org");
  EXPECT_EQ(finding_of("example.org"), Finding::mail_exchanger) << "beside another MX it says nothing";
}

TEST_F(GatherSenderDomain, FindsDomainsThatHaveNeither) {
  EXPECT_EQ(finding_of("nothing.example.org"), Finding::nowhere);
  EXPECT_EQ(world_.resolver.asked().size(), 1u) << "what does not exist has no address";
  zone().txt("text.example.org", "there is such a name");
  EXPECT_EQ(finding_of("text.example.org"), Finding::nowhere);
  EXPECT_EQ(asked("text.example.org", dns::Type::AAAA), 1u);
}

TEST_F(GatherSenderDomain, CannotSayWhenTheDnsFails) {
  zone().set("a.example.org", dns::Type::MX, dns::Status::servfail);
  EXPECT_EQ(finding_of("a.example.org"), Finding::unknown);
  EXPECT_EQ(found_.evidence.size(), 1u);
  zone().set("b.example.org", dns::Type::MX, dns::Status::no_data);
  zone().set("b.example.org", dns::Type::A, dns::Status::timeout);
  zone().set("b.example.org", dns::Type::AAAA, dns::Status::no_data);
  EXPECT_EQ(finding_of("b.example.org"), Finding::unknown);
  zone().a("b.example.org", "2001:db8::25");
  EXPECT_EQ(finding_of("b.example.org"), Finding::address) << "one address is enough";
}

TEST_F(GatherSenderDomain, AsksNothingWithoutADomain) {
  for (const char* domain : {"", "[192.0.2.1]", "[IPv6:2001:db8::1]"}) {
    Facts facts;
    world_.gather(*gatherer_, Stage::mail, mail_from(domain), facts);
    EXPECT_EQ(facts.find<SenderDomainFacts>(), nullptr) << domain;
  }
  EXPECT_TRUE(world_.resolver.asked().empty());
}

TEST_F(GatherSenderDomain, AsksByTheNameOfTheDns) {
  zone().mx("xn--mller-kva.example", 10, "mx.example.org");
  EXPECT_EQ(finding_of("m\u00fcller.example"), Finding::mail_exchanger);
  EXPECT_EQ(found_.domain, "xn--mller-kva.example");
}

TEST_F(GatherSenderDomain, AsksOnceForAMail) {
  Facts facts;
  for (int i = 0; i < 2; ++i) world_.gather(*gatherer_, Stage::mail, mail_from("example.org"), facts);
  EXPECT_EQ(world_.resolver.asked().size(), 1u);
}

TEST_F(GatherSenderDomain, HoldsMailUpForFiveSecondsAtMost) {
  for (int i = 0; i < 2; ++i) {
    support::DnsZone records;
    records.txt("example.org", "there is such a name");
    support::TableResolver slow(records, world_.loop.scheduler(), i == 0 ? 4s : 60s);
    const Time began = world_.loop.now();
    const GatherContext context{world_.loop.scheduler(), slow, world_.counters, world_.log, began + 20s,
                                world_.body_hashes};
    Facts facts;
    const Transaction mail = mail_from("example.org");
    const auto gathering = gatherer_->begin();
    world_.loop.run_until_done(gathering->gather(Stage::mail, mail, facts, context));
    EXPECT_LE(world_.loop.now() - began, 5s) << i;
    EXPECT_EQ(facts.get<SenderDomainFacts>().finding, Finding::unknown) << i;
  }
}

TEST_F(GatherSenderDomain, GathersAtMailAlone) {
  for (Stage stage :
       {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::message, Stage::done}) {
    EXPECT_EQ(gatherer_->gathers_at(stage), stage == Stage::mail);
  }
}

Facts found(Finding finding) { return facts_with(SenderDomainFacts{"example.org", finding, {}}); }

std::vector<Verdict> judge_message(Finding finding, const SenderDomainSettings& settings = {}) {
  return judge(sender_domain_entry, Stage::message, mail_from("example.org"), found(finding), settings);
}

TEST(JudgeSenderDomain, ScoresADomainThatCannotBeRepliedTo) {
  for (Finding finding : {Finding::null_mx, Finding::nowhere}) {
    const Verdict verdict = only(judge_message(finding));
    EXPECT_EQ(verdict.action, Action::none);
    EXPECT_DOUBLE_EQ(verdict.score, 3.0);
    EXPECT_FALSE(verdict.shadow);
    EXPECT_EQ(verdict.check, "sender_domain");
  }
  EXPECT_EQ(only(judge_message(Finding::null_mx)).because, "example.org takes no mail (null MX)");
  EXPECT_EQ(only(judge_message(Finding::nowhere)).because, "example.org has neither MX nor address");
  const SenderDomainSettings shadow{Mode::shadow, 1.5};
  EXPECT_TRUE(only(judge_message(Finding::nowhere, shadow)).shadow);
  EXPECT_DOUBLE_EQ(only(judge_message(Finding::nowhere, shadow)).score, 1.5);
}

TEST(JudgeSenderDomain, HasNothingAgainstOthers) {
  EXPECT_TRUE(judge_message(Finding::mail_exchanger).empty());
  EXPECT_TRUE(judge_message(Finding::address).empty());
}

TEST(JudgeSenderDomain, SaysThatItDoesNotKnowWhenTheDnsFails) {
  const Verdict verdict = only(judge_message(Finding::unknown));
  EXPECT_TRUE(verdict.is_unknown);
  EXPECT_EQ(verdict.score, 0);
  EXPECT_EQ(verdict.action, Action::none);
}

TEST(JudgeSenderDomain, SpeaksWithTheWholeMessage) {
  for (Stage stage : {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::done}) {
    const SenderDomainSettings settings;
    EXPECT_TRUE(judge(sender_domain_entry, stage, mail_from("example.org"), found(Finding::nowhere), settings).empty());
  }
}

TEST(ExplainSenderDomain, HasAWordForEachFinding) {
  const auto explain = [](const Transaction& mail, const Facts& facts) {
    return explain_sender_domain(mail, facts, SenderDomainSettings());
  };
  EXPECT_EQ(explain(mail_of("192.0.2.1"), Facts()).result, "not run");
  EXPECT_EQ(explain(mail_from(""), Facts()).result, "not asked");
  const Transaction mail = mail_from("example.org");
  EXPECT_EQ(explain(mail, found(Finding::mail_exchanger)).result, "ok");
  EXPECT_EQ(explain(mail, found(Finding::address)).fact, "example.org has an address");
  EXPECT_EQ(explain(mail, found(Finding::null_mx)).fact, "example.org takes no mail (null MX)");
  EXPECT_EQ(explain(mail, found(Finding::nowhere)).result, "fail");
  EXPECT_EQ(explain(mail, found(Finding::unknown)).result, "unknown");
}

TEST(SenderDomainFacts, SurviveJsonAndTellTheirEvidence) {
  support::RandomFields random(7505);
  for (int i = 0; i < 200; ++i) {
    const Facts facts = facts_with(random.make<SenderDomainFacts>());
    const auto read = Facts::from_json(*JsonValue::parse(facts.to_json()), {&sender_domain_facts});
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->to_json(), facts.to_json());
    EXPECT_EQ(read->tell().evidence.size(), facts.get<SenderDomainFacts>().evidence.size());
    EXPECT_TRUE(read->tell().words.empty());
  }
}

}  // namespace
}  // namespace sallyport::policies
