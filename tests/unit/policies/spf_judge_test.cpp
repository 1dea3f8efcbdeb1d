// The SPF policy: which identities a mail has, and what their results lead to.
#include <gtest/gtest.h>

#include <string>

#include "policies/spf/spf.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

Transaction mail_from(const std::string& local, const std::string& domain, const std::string& helo) {
  Transaction mail = mail_of("192.0.2.1");
  mail.client.helo = helo;
  mail.from = domain.empty() ? MailAddress{} : address(local, domain);
  return mail;
}

SpfFacts gather(PolicyWorld& world, const Transaction& mail) {
  Facts facts;
  world.gather(*world.prepare(spf_entry, nullptr), Stage::mail, mail, facts);
  return facts.get<SpfFacts>();
}

TEST(GatherSpf, ChecksTheGreetingAndTheSender) {
  PolicyWorld world;
  world.resolver.zone().txt("mail.example.org", "v=spf1 ip4:192.0.2.1 -all");
  world.resolver.zone().txt("example.org", "v=spf1 exp=why.example.org -all");
  world.resolver.zone().txt("why.example.org", "%{s} from %{c} (%{h}) at %{r}");
  const SpfFacts facts = gather(world, mail_from("Ann", "example.org", "Mail.Example.ORG."));
  ASSERT_TRUE(facts.helo && facts.mailfrom);
  EXPECT_EQ(facts.helo->result, AuthResult::pass);
  EXPECT_EQ(facts.helo->domain, "mail.example.org");
  EXPECT_EQ(facts.mailfrom->result, AuthResult::fail);
  EXPECT_EQ(facts.mailfrom->domain, "example.org");
  EXPECT_EQ(facts.mailfrom->explanation, "Ann@example.org from 192.0.2.1 (Mail.Example.ORG.) at mx.example.net");
}

TEST(GatherSpf, TakesThePostmasterOfTheGreetingForANullSender) {
  PolicyWorld world;
  world.resolver.zone().txt("mail.example.org", "v=spf1 exists:%{s}.ok.example.org -all");
  world.resolver.zone().a("postmaster@mail.example.org.ok.example.org", "127.0.0.2");
  const SpfFacts facts = gather(world, mail_from("", "", "mail.example.org"));
  ASSERT_TRUE(facts.helo && facts.mailfrom);
  EXPECT_EQ(facts.helo->result, AuthResult::pass);
  EXPECT_EQ(facts.mailfrom->result, AuthResult::pass);
  EXPECT_EQ(facts.mailfrom->domain, "mail.example.org");
  EXPECT_EQ(world.resolver.count({"mail.example.org", dns::Type::TXT}), 1u);
}

TEST(GatherSpf, ChecksNoGreetingThatIsNoHostName) {
  for (const char* helo : {"[192.0.2.1]", "192.0.2.1", "OEMCOMPUTER", "[IPv6:2001:db8::1]", ""}) {
    PolicyWorld world;
    const SpfFacts facts = gather(world, mail_from("", "", helo));
    EXPECT_FALSE(facts.helo) << helo;
    ASSERT_TRUE(facts.mailfrom) << helo;
    EXPECT_EQ(facts.mailfrom->result, AuthResult::none) << helo;
    EXPECT_TRUE(world.resolver.asked().empty()) << helo;
  }
}

TEST(GatherSpf, AsksForALabels) {
  PolicyWorld world;
  world.resolver.zone().txt("xn--strae-oqa.example", "v=spf1 exists:%{o}.%{d} -all");
  world.resolver.zone().a("xn--strae-oqa.example.xn--strae-oqa.example", "127.0.0.2");
  const SpfFacts facts = gather(world, mail_from("ann",
                                                 "stra\xc3\x9f"
                                                 "e.example",
                                                 "mail.example.org"));
  EXPECT_EQ(facts.mailfrom->domain, "xn--strae-oqa.example");
  EXPECT_EQ(facts.mailfrom->result, AuthResult::pass);
}

TEST(GatherSpf, HasNoResultForALiteral) {
  PolicyWorld world;
  const SpfFacts facts = gather(world, mail_from("ann", "[192.0.2.1]", "[192.0.2.1]"));
  ASSERT_TRUE(facts.mailfrom);
  EXPECT_EQ(facts.mailfrom->result, AuthResult::none);
  EXPECT_TRUE(world.resolver.asked().empty());
}

TEST(GatherSpf, AsksOnceForAllTenants) {
  PolicyWorld world;
  world.resolver.zone().txt("example.org", "v=spf1 -all");
  const Transaction mail = mail_from("ann", "example.org", "[192.0.2.1]");
  const auto gatherer = world.prepare(spf_entry, nullptr);
  Facts facts;
  world.gather(*gatherer, Stage::mail, mail, facts);
  world.gather(*gatherer, Stage::mail, mail, facts);
  EXPECT_EQ(world.resolver.asked().size(), 1u);
  EXPECT_EQ(facts.get<SpfFacts>().mailfrom->result, AuthResult::fail);
}

TEST(GatherSpf, EndsWithTheStage) {
  support::ManualLoop loop;
  support::TableResolver resolver({}, loop.scheduler(), std::chrono::seconds(0));
  resolver.zone().set("example.org", dns::Type::TXT, dns::Status::timeout);
  Counters counters;
  support::LinesLog log;
  const std::vector<signature::BodyHash> no_bodies;
  const GatherContext context{loop.scheduler(), resolver, counters, log, loop.now() + std::chrono::seconds(7),
                              no_bodies};
  const std::string hostname = "mx.example.net";
  const Transaction mail = mail_from("ann", "example.org", "[192.0.2.1]");
  const Time began = loop.now();
  const SpfFacts facts = loop.run_until_done(gather_spf(mail, hostname, context));
  EXPECT_EQ(facts.mailfrom->result, AuthResult::temperror);
  EXPECT_LT(loop.now() - began, std::chrono::seconds(8));
}

SpfFacts facts_of(AuthResult mailfrom, AuthResult helo = AuthResult::none) {
  SpfFacts facts;
  facts.mailfrom = SpfFacts::Check{};
  facts.mailfrom->result = mailfrom;
  facts.mailfrom->domain = "example.org";
  facts.mailfrom->mechanism = "-all";
  facts.helo = SpfFacts::Check{};
  facts.helo->result = helo;
  facts.helo->domain = "mail.example.org";
  return facts;
}

Verdict judge(Stage stage, const Transaction& mail, const SpfFacts& found, const SpfSettings& settings) {
  Facts facts;
  facts.put(found);
  Verdicts said;
  judge_spf(stage, mail, facts, settings, said);
  return only(said);
}

Verdict judge(Stage stage, const SpfFacts& facts, const SpfSettings& settings) {
  return judge(stage, mail_from("ann", "example.org", "mail.example.org"), facts, settings);
}

TEST(JudgeSpf, ScoresByDefaultWithTheWholeMessage) {
  const SpfSettings settings;
  for (AuthResult result : {AuthResult::fail, AuthResult::softfail, AuthResult::permerror}) {
    EXPECT_EQ(judge(Stage::mail, facts_of(result), settings).action, Action::none);
    EXPECT_EQ(judge(Stage::mail, facts_of(result), settings).score, 0);
    EXPECT_EQ(judge(Stage::message, facts_of(result), settings).score, settings.score);
  }
  for (AuthResult result : {AuthResult::none, AuthResult::neutral, AuthResult::pass, AuthResult::temperror}) {
    EXPECT_EQ(judge(Stage::message, facts_of(result), settings).score, 0);
    EXPECT_EQ(judge(Stage::message, facts_of(result), settings).because, "");
  }
}

TEST(JudgeSpf, RejectsAHardFail) {
  SpfSettings settings;
  settings.on_fail = SpfAction::reject;
  const Verdict verdict = judge(Stage::mail, facts_of(AuthResult::fail), settings);
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.code, 550);
  EXPECT_EQ(verdict.dsn, "5.7.23");
  EXPECT_EQ(verdict.text, "SPF does not allow this client to send for ann@example.org");
  EXPECT_EQ(verdict.because, "mailfrom example.org: fail by -all");
  EXPECT_EQ(judge(Stage::message, facts_of(AuthResult::fail), settings).score, 0);
  EXPECT_EQ(judge(Stage::mail, facts_of(AuthResult::softfail), settings).action, Action::none);
}

TEST(JudgeSpf, HasACodeForEachResultAndAction) {
  struct Case {
    AuthResult result;
    SpfAction action;
    int code;
    const char* dsn;
  };
  constexpr Case cases[] = {
      {AuthResult::fail, SpfAction::reject, 550, "5.7.23"},
      {AuthResult::fail, SpfAction::tempfail, 451, "4.7.23"},
      {AuthResult::softfail, SpfAction::reject, 550, "5.7.23"},
      {AuthResult::softfail, SpfAction::tempfail, 451, "4.7.23"},
      {AuthResult::permerror, SpfAction::reject, 550, "5.7.24"},
      {AuthResult::permerror, SpfAction::tempfail, 451, "4.7.24"},
      {AuthResult::temperror, SpfAction::reject, 550, "5.7.24"},
      {AuthResult::temperror, SpfAction::tempfail, 451, "4.4.3"},
  };
  for (const Case& one : cases) {
    SpfSettings settings;
    settings.on_fail = settings.on_softfail = settings.on_permerror = settings.on_temperror = SpfAction::none;
    EXPECT_EQ(judge(Stage::mail, facts_of(one.result), settings).action, Action::none);
    switch (one.result) {
      case AuthResult::fail:
        settings.on_fail = one.action;
        break;
      case AuthResult::softfail:
        settings.on_softfail = one.action;
        break;
      case AuthResult::permerror:
        settings.on_permerror = one.action;
        break;
      default:
        settings.on_temperror = one.action;
    }
    const Verdict verdict = judge(Stage::mail, facts_of(one.result), settings);
    EXPECT_EQ(verdict.code, one.code) << word(one.result) << ' ' << word(one.action);
    EXPECT_EQ(verdict.dsn, one.dsn) << word(one.result) << ' ' << word(one.action);
  }
}

TEST(JudgeSpf, HearsOfTheGreetingOnlyAFail) {
  SpfSettings settings;
  settings.on_fail = settings.on_softfail = settings.on_permerror = settings.on_temperror = SpfAction::reject;
  for (AuthResult result : {AuthResult::softfail, AuthResult::permerror, AuthResult::temperror}) {
    EXPECT_EQ(judge(Stage::mail, facts_of(AuthResult::pass, result), settings).action, Action::none);
  }
  const Verdict verdict = judge(Stage::mail, facts_of(AuthResult::pass, AuthResult::fail), settings);
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.text, "SPF does not allow this client to send for mail.example.org");
  EXPECT_EQ(verdict.because, "helo mail.example.org: fail");
}

TEST(JudgeSpf, CountsAMailOnce) {
  EXPECT_EQ(judge(Stage::message, facts_of(AuthResult::fail, AuthResult::fail), SpfSettings()).score, 2.0);
}

TEST(JudgeSpf, NeverSaysThePublishersWords) {
  SpfSettings settings;
  settings.on_fail = SpfAction::reject;
  SpfFacts facts = facts_of(AuthResult::fail);
  facts.mailfrom->explanation = "Call 555-1234 at once";
  const Verdict verdict = judge(Stage::mail, facts, settings);
  EXPECT_EQ((verdict.text + verdict.because).find("555"), std::string::npos);
}

TEST(JudgeSpf, NamesASenderInPrintableAsciiOnly) {
  SpfSettings settings;
  settings.on_fail = SpfAction::reject;
  const Transaction mail = mail_from("\xc3\xa9milie", "example.org", "mail.example.org");
  EXPECT_EQ(judge(Stage::mail, mail, facts_of(AuthResult::fail), settings).text,
            "SPF does not allow this client to send for ??milie@example.org");
  EXPECT_EQ(judge(Stage::mail, mail_from("", "", "mail.example.org"), facts_of(AuthResult::fail), settings).text,
            "SPF does not allow this client to send for example.org");
}

// I9
TEST(JudgeSpf, TellsWhatCouldNotBeFoundOut) {
  SpfSettings settings;
  const Verdict by_default = judge(Stage::mail, facts_of(AuthResult::temperror), settings);
  EXPECT_TRUE(by_default.is_unknown);
  EXPECT_EQ(by_default.action, Action::none);
  EXPECT_EQ(by_default.score, 0);
  EXPECT_EQ(by_default.because, "mailfrom example.org: temperror by -all");
  EXPECT_FALSE(judge(Stage::message, facts_of(AuthResult::temperror), settings).says_something()) << "told once";
  settings.on_temperror = SpfAction::score;
  EXPECT_FALSE(judge(Stage::mail, facts_of(AuthResult::temperror), settings).says_something());
  const Verdict scored = judge(Stage::message, facts_of(AuthResult::temperror), settings);
  EXPECT_TRUE(scored.is_unknown);
  EXPECT_EQ(scored.score, settings.score);
  settings.on_temperror = SpfAction::tempfail;
  EXPECT_TRUE(judge(Stage::mail, facts_of(AuthResult::temperror), settings).is_unknown);
  EXPECT_FALSE(judge(Stage::message, facts_of(AuthResult::fail), settings).is_unknown);
}

TEST(JudgeSpf, TellsOfTheSenderAlsoWhereTheGreetingDecides) {
  SpfSettings settings;
  settings.on_fail = SpfAction::reject;
  Facts facts;
  facts.put(facts_of(AuthResult::temperror, AuthResult::fail));
  const auto said = sallyport::policies::judge(spf_entry, Stage::mail,
                                               mail_from("ann", "example.org", "mail.example.org"), facts, &settings);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0].action, Action::reject);
  EXPECT_EQ(said[0].because, "helo mail.example.org: fail");
  EXPECT_FALSE(said[0].is_unknown);
  EXPECT_TRUE(said[1].is_unknown);
  EXPECT_EQ(said[1].action, Action::none);
  EXPECT_EQ(said[1].check, "spf");
}

TEST(JudgeSpf, SaysNothingAtOtherStages) {
  SpfSettings settings;
  settings.on_fail = SpfAction::reject;
  for (Stage stage : {Stage::connect, Stage::helo, Stage::rcpt, Stage::headers})
    EXPECT_FALSE(judge(stage, facts_of(AuthResult::fail), settings).says_something()) << word(stage);
}

TEST(JudgeSpf, HasNothingToSayWithoutFacts) {
  SpfSettings settings;
  settings.on_fail = SpfAction::reject;
  EXPECT_EQ(judge(Stage::mail, SpfFacts(), settings).action, Action::none);
  EXPECT_EQ(judge(Stage::message, SpfFacts(), settings).action, Action::none);
}

}  // namespace
}  // namespace sallyport::policies
