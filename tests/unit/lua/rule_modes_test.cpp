// How rules take part: their mode by file, settings and share, what is counted of them, and when one is suspended.
#include "lua/engine/rule_book.h"
#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

using policies::Action;
using policies::Mode;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(RuleModes, AreReadAndWritten) {
  for (const std::string text : {"enforce", "shadow", "off", "1%", "10%", "99%"}) {
    const auto mode = parse_rule_mode(text);
    ASSERT_TRUE(mode) << text;
    EXPECT_EQ(to_text(*mode), text);
  }
  EXPECT_EQ(parse_rule_mode("100%"), RuleMode{});
  EXPECT_EQ(parse_rule_mode("0%")->mode, Mode::shadow);
  for (const std::string text : {"", "%", "on", "101%", "-1%", "1.5%", "10", "10 %", "10%%"}) {
    EXPECT_FALSE(parse_rule_mode(text)) << text;
  }
}

// The share of mails is what it says, each mail is in the same one every time, and a larger share has all of a smaller.
TEST(RuleModes, AShareIsOfMailsAndGrows) {
  for (int percent = 1; percent < 100; percent += 7) {
    const RuleMode mode{Mode::enforce, percent};
    const RuleMode more{Mode::enforce, percent + 1};
    int enforced = 0;
    constexpr int mails = 20'000;
    for (int i = 0; i < mails; ++i) {
      const std::string id = "01JD3K7Q" + std::to_string(10'000'000 + i);
      const bool is_shadow = is_shadow_for(mode, id);
      EXPECT_EQ(is_shadow, is_shadow_for(mode, id));
      if (!is_shadow) EXPECT_FALSE(is_shadow_for(more, id));
      enforced += is_shadow ? 0 : 1;
    }
    EXPECT_NEAR(enforced, mails * percent / 100, mails / 50);
  }
}

class Modes : public GatherTest {
 protected:
  std::string mode_of(const std::string& name) {
    load();
    for (const Rule& one : rules->rules()) {
      if (one.name == name) return to_text(one.mode);
    }
    return "no such rule";
  }
};

TEST_F(Modes, TheSettingsOfARuleComeBeforeThoseOfItsGroupAndThoseBeforeItsFile) {
  write("r.lua", rule("a", "", "mode = 'shadow', group = 'g',") + rule("b", "", "group = 'g',") + rule("c", "") +
                     rule("d", "", "mode = '25%',"));
  EXPECT_EQ(mode_of("a"), "shadow");
  EXPECT_EQ(mode_of("d"), "25%");
  settings.groups["g"].mode = {Mode::enforce, 10};
  EXPECT_EQ(mode_of("a"), "10%");
  EXPECT_EQ(mode_of("b"), "10%");
  EXPECT_EQ(mode_of("c"), "enforce");
  settings.rules["b"].mode = {Mode::off};
  EXPECT_EQ(mode_of("a"), "10%");
  EXPECT_EQ(mode_of("b"), "off");
}

TEST_F(Modes, APercentageOfAllRulesIsTheMostOfEach) {
  write("r.lua", rule("a", "") + rule("b", "", "mode = '25%',") + rule("c", "", "mode = '5%',") +
                     rule("d", "", "mode = 'shadow',") + rule("e", "", "mode = 'off',"));
  settings.mode = {Mode::enforce, 10};
  EXPECT_EQ(mode_of("a"), "10%");
  EXPECT_EQ(mode_of("b"), "10%");
  EXPECT_EQ(mode_of("c"), "5%");
  EXPECT_EQ(mode_of("d"), "shadow");
  EXPECT_EQ(mode_of("e"), "off");
  EXPECT_EQ(within({Mode::enforce, 10}, Mode::shadow), Mode::shadow);
  EXPECT_EQ(within(Mode::shadow, Mode::off), Mode::off);
}

TEST_F(Modes, WhatDoesNotExistIsTold) {
  write("r.lua", rule("LOTTERY", "", "group = 'words',"));
  settings.rules["LOTERY"].mode = {Mode::off};
  settings.groups["word"].mode = {Mode::off};
  load();
  ASSERT_THAT(rules->unused_settings(), SizeIs(2));
  EXPECT_EQ(rules->unused_settings()[0].key, "rules.LOTERY.mode");
  EXPECT_EQ(rules->unused_settings()[0].why, "there is no rule 'LOTERY'; did you mean 'LOTTERY'?");
  EXPECT_EQ(rules->unused_settings()[1].key, "groups.word.mode");
  EXPECT_EQ(rules->unused_settings()[1].why, "there is no group 'word'; did you mean 'words'?");
}

TEST_F(Modes, NamesInAnotherCaseOfRulesThatAreNotSwitchedOnAndOfListsAreTold) {
  write("r.lua", "local listed = require 'sallyport'.setting('LOTTERY')\n" + rule_text("return #listed > 0"));
  settings.shipped = {"MASS_BCC"};
  settings.rules["mass_bcc"] = settings.rules["EXTERNAL_TAG"] = settings.rules["external_tag"] = {};
  settings.lists["lottery"] = settings.lists["MASS_BCC"] = settings.lists["EXTERNAL_TAG"] = {};
  load();
  std::vector<std::string> told;
  for (const UnusedSetting& one : rules->unused_settings()) told.push_back(one.key + ": " + one.why);
  EXPECT_EQ(told,
            (std::vector<std::string>{
                "rules.EXTERNAL_TAG.mode: the shipped rule 'EXTERNAL_TAG' is not switched on: policy.rules.shipped",
                "rules.external_tag.mode: there is no rule 'external_tag'; did you mean 'EXTERNAL_TAG'?",
                "rules.mass_bcc.mode: there is no rule 'mass_bcc'; did you mean 'MASS_BCC'?",
                "lists.EXTERNAL_TAG.entries: no rule reads the list 'EXTERNAL_TAG'",
                "lists.lottery.entries: no rule reads the list 'lottery'; did you mean 'LOTTERY'?"}));
  settings.rules.clear();
  settings.lists.clear();
  settings.shipped = {"mass_bcc"};
  const auto loaded = RuleSet::load(settings);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error()[0].message,
            "policy.rules.shipped: there is no shipped rule 'mass_bcc'; did you mean 'MASS_BCC'?");
}

TEST_F(Modes, AShareIsEnforcedForItsMailsAndInShadowForTheOthersAtEveryStage) {
  use("local sp = require 'sallyport' for _, stage in ipairs { 'mail', 'rcpt', 'message' } do "
      "sp.rule { name = stage, stage = stage, mode = '50%', run = function() return sp.reject() end } end");
  int enforced = 0;
  for (int i = 0; i < 200; ++i) {
    mail.id = "01JD3K7Q0123" + std::to_string(1000 + i);
    bool is_shadow[3];
    const Stage stages[] = {Stage::mail, Stage::rcpt, Stage::message};
    for (int k = 0; k < 3; ++k) {
      gather(stages[k]);
      ASSERT_THAT(judge(stages[k]), SizeIs(1));
      is_shadow[k] = judge(stages[k])[0].shadow;
    }
    EXPECT_EQ(is_shadow[0], is_shadow[1]);
    EXPECT_EQ(is_shadow[0], is_shadow[2]);
    enforced += is_shadow[0] ? 0 : 1;
  }
  EXPECT_NEAR(enforced, 100, 40);
}

TEST_F(Modes, WhatRulesDidAndWouldHaveDoneIsCounted) {
  use(rule("a", "return true") + rule("b", "return sp.reject()", "mode = 'shadow',") + rule("c", "") +
      rule("d", "error()", "on_error = 'skip',"));
  for (int i = 0; i < 3; ++i) gather();
  settings.mode = Mode::shadow;
  use(rule("a", "return true"));
  gather();
  std::map<std::string, std::int64_t> counted;
  for (const auto& [name, count] : learned.of<RuleBook>().counters()) counted[name] = count;
  EXPECT_EQ(counted["sallyport_rule_hits_total{rule=\"a\"}"], 3);
  EXPECT_EQ(counted["sallyport_rule_would_have_total{rule=\"a\"}"], 1);
  EXPECT_EQ(counted["sallyport_rule_hits_total{rule=\"b\"}"], 0);
  EXPECT_EQ(counted["sallyport_rule_would_have_total{rule=\"b\"}"], 3);
  EXPECT_EQ(counted["sallyport_rule_hits_total{rule=\"c\"}"], 0);
  EXPECT_EQ(counted["sallyport_rule_failures_total{rule=\"d\"}"], 3);
}

TEST_F(Modes, EachRunOfARuleHasItsTime) {
  use(rule("quick", "return true") + rule("failing", "error()", "on_error = 'skip',") +
      rule("off", "", "mode = 'off',"));
  for (int i = 0; i < 3; ++i) gather();
  use(rule("quick", ""));
  gather();
  std::map<std::string, std::uint64_t> runs;
  for (const auto& [name, times] : learned.of<RuleBook>().all_times()) {
    for (const Histogram* one : times) {
      for (std::size_t i = 0; i <= Histogram::bounds.size(); ++i) runs[name] += one->count(i);
    }
  }
  EXPECT_EQ(runs["quick"], 4u);
  EXPECT_EQ(runs["failing"], 3u);
  EXPECT_EQ(runs["off"], 0u);
}

// -- on_error

TEST_F(Modes, OnErrorFollowsFromWhatTheFileCanDo) {
  settings.on_error = OnError::automatic;
  const auto on_error_of = [&](const std::string& body) {
    write("r.lua", rule("a", body));
    load();
    return rules->rules().at(0).on_error;
  };
  for (const std::string body :
       {"return sp.reject()", "return sp.tempfail(421)", "local f = sp.drop return f()", "return sp['discard']()"}) {
    EXPECT_EQ(on_error_of(body), OnError::tempfail) << body;
  }
  for (const std::string body : {"return true", "return sp.hit { score = 5 }", "return sp.tag { header = 'X-A: 1' }",
                                 "return sp.accept() -- sp.reject\n"}) {
    EXPECT_EQ(on_error_of(body), OnError::skip) << body;
  }
  write("helper.lua", "return function() return require('sallyport').reject() end");
  write("r.lua", "local no = require 'helper'\n" + rule("a", "return no()"));
  load();
  EXPECT_EQ(rules->rules().at(0).on_error, OnError::tempfail);
}

// -- suspension

class Suspension : public Modes {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) gather();
  }
  // What the one rule comes to for the mail.
  Verdict gathered() {
    gather();
    const std::vector<Verdict> said = judge();
    EXPECT_THAT(said, SizeIs(1));
    return said.empty() ? Verdict() : said.front();
  }
  int alerts() const {
    return static_cast<int>(std::count_if(log.lines.begin(), log.lines.end(), [](const std::string& line) {
      return line.find("event=rule_suspended rule=a ") != line.npos;
    }));
  }
};

TEST_F(Suspension, AfterTwentyFailuresOnceAndUntilTheNextLoad) {
  const std::string source = rule("a", "error()") + rule("b", "return true");
  use(source);
  fail(19);
  EXPECT_THAT(judge(), SizeIs(2));
  EXPECT_EQ(alerts(), 0);
  fail(1);
  EXPECT_EQ(alerts(), 1);
  EXPECT_EQ(judge().at(0).because.substr(0, 10), "rule_error") << "the mail of the last failure is judged by it";
  fail(30);
  EXPECT_EQ(alerts(), 1);
  ASSERT_THAT(judge(), SizeIs(2)) << "the others run";
  EXPECT_EQ(judge()[1].rule, "b");
  EXPECT_EQ(counters.get(Fault::rule_error), 20u) << "it no longer runs";
  EXPECT_EQ(learned.of<RuleBook>().tally("a")->failures, 20u);

  learned.of<RuleBook>().begin_load();
  use(source);
  fail(1);
  EXPECT_EQ(counters.get(Fault::rule_error), 21u) << "it is back";
  fail(19);
  EXPECT_EQ(alerts(), 2);
}

// What becomes of mail that the rule would have been asked about is the rule's on_error, as when it fails; and it is
// told as a check that could not be made, never as a clean one.
TEST_F(Suspension, LeavesTheMailToTheRulesOnError) {
  for (const std::string on_error : {"tempfail", "skip"}) {
    use(rule("a", "error()", "on_error = '" + on_error + "',"));
    fail(25);
    ASSERT_THAT(judge(), SizeIs(1));
    EXPECT_EQ(judge()[0].action, on_error == "tempfail" ? Action::tempfail : Action::none);
    EXPECT_EQ(judge()[0].code, on_error == "tempfail" ? 451 : 0);
    EXPECT_TRUE(judge()[0].is_unknown);
    EXPECT_EQ(judge()[0].because, "rule_suspended at r.lua:1");
    learned.of<RuleBook>().begin_load();
  }
  use(rule("a", "error()", "on_error = 'tempfail', mode = 'shadow',"));
  fail(25);
  ASSERT_THAT(judge(), SizeIs(1));
  EXPECT_TRUE(judge()[0].shadow);
}

// The rule refuses what another stranger sends, and no mail of anybody else is answered 451.
TEST_F(Suspension, AStrangersMailsSuspendItForNobodyElse) {
  for (const std::string on_error : {"tempfail", "skip"}) {
    use(rule("a", "if tx.msg.subject == 'bad' then return sp.reject() end tx.msg.subject:lower()",
             "on_error = '" + on_error + "',"));
    const std::uint64_t before = counters.get(Fault::rule_error);
    set_message("From: x\r\n\r\n");
    mail.client.ip = *IpAddress::parse("2001:db8:0:1::1");
    fail(10);
    mail.client.ip = *IpAddress::parse("2001:db8:0:1::2");
    fail(15);
    set_message("Subject: bad\r\n\r\n");
    EXPECT_EQ(gathered().because, "rule_suspended at r.lua:1");
    for (const std::string other : {"2001:db8:0:2::1", "198.51.100.1"}) {
      mail.client.ip = *IpAddress::parse(other);
      set_message("Subject: bad\r\n\r\n");
      EXPECT_EQ(gathered().action, Action::reject) << other;
      set_message("Subject: good\r\n\r\n");
      gather();
      EXPECT_THAT(judge(), IsEmpty()) << other;
    }
    EXPECT_EQ(counters.get(Fault::rule_error) - before, 20u);
    // Another one whose mail it fails for is one of them from then on.
    set_message("From: x\r\n\r\n");
    EXPECT_EQ(gathered().because, "rule_error at r.lua:1");
    EXPECT_EQ(gathered().because, "rule_suspended at r.lua:1");
    learned.of<RuleBook>().begin_load();
  }
}

TEST(RuleTroubleOf, RemembersSoManyClientsAndNoMore) {
  RuleTrouble trouble;
  const Time now{std::chrono::hours(1)};
  const auto client = [](std::size_t number) {
    return IpAddress::v4({10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                          static_cast<std::uint8_t>(number)});
  };
  const std::size_t all = RuleTrouble::most_clients + 100;
  for (std::size_t i = 0; i < all; ++i) EXPECT_EQ(trouble.note_failure(now, client(i)), i == 19);
  for (std::size_t i = 0; i < all; ++i) EXPECT_EQ(trouble.is_suspended_for(client(i)), i >= 100) << i;
}

TEST_F(Suspension, NotForFailuresThatAreFarApart) {
  use(rule("a", "error()"));
  for (int i = 0; i < 100; ++i) {
    fail(1);
    loop.advance(std::chrono::seconds(16));
    deadline = loop.now() + std::chrono::seconds(20);
  }
  EXPECT_EQ(alerts(), 0);
  fail(19);
  EXPECT_EQ(alerts(), 1);
}

TEST_F(Suspension, NotForWantOfTheMailsTime) {
  use(rule("a", "sp.dns.a('slow.example') return true"));
  dns_takes(std::chrono::hours(1));
  for (int i = 0; i < 40; ++i) {
    deadline = loop.now() + std::chrono::seconds(1);
    fail(1);
  }
  EXPECT_EQ(alerts(), 0);
  EXPECT_EQ(counters.get(Fault::rule_timeout), 40u);
}

TEST_F(Suspension, CountsTheFailuresOfAllWorkers) {
  use(rule("a", "error()"));
  auto first = std::move(gatherer);
  use(rule("a", "error()"));
  for (int i = 0; i < 10; ++i) {
    gather();
    std::swap(first, gatherer);
    gather();
  }
  EXPECT_EQ(alerts(), 1);
  for (int i = 0; i < 2; ++i) {
    facts = {};
    gather();
    ASSERT_THAT(judge(), SizeIs(1));
    EXPECT_EQ(judge()[0].because, "rule_suspended at r.lua:1");
    std::swap(first, gatherer);
  }
}

}  // namespace
}  // namespace sallyport::lua
