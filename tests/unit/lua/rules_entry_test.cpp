// The rules as a policy: what is gathered, how it is judged, what is counted and logged.
#include "lua/engine/rules_entry.h"

#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

using policies::Action;
using policies::Stage;
using policies::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Policy = GatherTest;

TEST_F(Policy, HasANameAndTheModeOfItsSettings) {
  settings.mode = policies::Mode::shadow;
  const Verdict verdict = verdict_of(rule("a", "return sp.reject()"));
  EXPECT_EQ(verdict.check, "rules");
  EXPECT_EQ(verdict.stage, Stage::message);
  EXPECT_TRUE(verdict.shadow);
  EXPECT_EQ(rules_entry.phase, policies::GatherPhase::on_everything);
}

TEST_F(Policy, WorksAtTheStagesItHasRulesFor) {
  use(rule("a", "") + rule("b", "", "mode = 'off',"));
  for (Stage stage :
       {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::message, Stage::done}) {
    EXPECT_EQ(gatherer->gathers_at(stage), stage == Stage::message);
  }
  EXPECT_FALSE(gatherer->precedes_greeting());
  use("require('sallyport').rule { name = 'a', stage = 'connect', run = function() end }");
  EXPECT_TRUE(gatherer->precedes_greeting());
}

TEST_F(Policy, WithoutAPathThereIsNothingToFindOut) {
  settings.path.clear();
  const auto prepared = prepare();
  ASSERT_TRUE(prepared);
  for (Stage stage : {Stage::connect, Stage::rcpt, Stage::message}) EXPECT_FALSE((*prepared)->gathers_at(stage));
  EXPECT_THAT(judge(), IsEmpty());
}

TEST_F(Policy, TellsOfAllRulesThatDoNotLoad) {
  write("a.lua", "local sp = require 'sallyport'\nsp.rule { name = 'a' }\n");
  write("b.lua", "syntax error\n");
  const auto prepared = prepare();
  ASSERT_FALSE(prepared);
  const std::string message = prepared.error().message;
  EXPECT_TRUE(message.starts_with("the rules do not load:\n" + settings.path + "/a.lua:2: error: ")) << message;
  EXPECT_THAT(message, HasSubstr("\n" + settings.path + "/b.lua:1: error: "));
}

TEST_F(Policy, RulesThatAreOffDoNotRun) {
  use(rule("a", "return true", "mode = 'off',"));
  EXPECT_FALSE(gatherer->gathers_at(Stage::message));
  gather();
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Policy, NothingToSay) {
  EXPECT_THAT(verdicts_of(rule("a", "")), IsEmpty());
  EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(Policy, EachRuleHasItsOwnVerdict) {
  const std::vector<Verdict> said =
      verdicts_of(rule("a", "return true") + rule("b", "return sp.hit { score = 2.5, detail = 'why' }") +
                  rule("c", "return sp.hit { score = 0 }") + rule("d", "return sp.reject(554, '5.7.9', 'never')"));
  ASSERT_EQ(said.size(), 4u);
  EXPECT_EQ(said[0].rule, "a");
  EXPECT_EQ(said[0].score, 1);
  EXPECT_EQ(said[0].action, Action::none);
  EXPECT_EQ(said[0].because, "");
  EXPECT_EQ(said[1].rule, "b");
  EXPECT_EQ(said[1].score, 2.5);
  EXPECT_EQ(said[1].because, "why");
  EXPECT_EQ(said[2].rule, "c");
  EXPECT_EQ(said[2].score, 0);
  EXPECT_EQ(said[3].action, Action::reject);
  EXPECT_EQ(said[3].rule, "d");
  EXPECT_EQ(said[3].code, 554);
  EXPECT_EQ(said[3].dsn, "5.7.9");
  EXPECT_EQ(said[3].text, "never");
  EXPECT_EQ(said[3].because, "never");
  EXPECT_FALSE(said[3].close);
}

TEST_F(Policy, AnswersBecomeActions) {
  const std::vector<std::pair<std::string, Action>> answers = {
      {"sp.tag { header = 'X-A: 1' }", Action::tag}, {"sp.accept()", Action::accept}, {"sp.discard()", Action::discard},
      {"sp.tempfail()", Action::tempfail},           {"sp.reject()", Action::reject}, {"sp.drop()", Action::drop}};
  for (const auto& [answer, action] : answers) {
    const Verdict verdict = verdict_of(rule("a", "return " + answer));
    EXPECT_EQ(verdict.action, action) << answer;
    EXPECT_FALSE(verdict.because.empty()) << answer;
    EXPECT_FALSE(verdict.is_unknown) << answer;
  }
}

TEST_F(Policy, DropAnd421EndTheConnection) {
  EXPECT_TRUE(verdict_of(rule("a", "return sp.drop()")).close);
  EXPECT_TRUE(verdict_of(rule("a", "return sp.tempfail(421)")).close);
  EXPECT_FALSE(verdict_of(rule("a", "return sp.tempfail(451)")).close);
}

TEST_F(Policy, TagsAndAcceptsKeepWhatTheyAskFor) {
  const std::vector<Verdict> said =
      verdicts_of(rule("a", "return sp.tag { header = 'X-A: 1', subject_prefix = '[a] ' }") +
                  rule("b", "return sp.accept { skip = { 'dnsbl', 'rate' } }") + rule("c", "return sp.accept()"));
  ASSERT_EQ(said.size(), 3u);
  EXPECT_THAT(said[0].add_headers, ElementsAre(Pair("X-A", "1")));
  EXPECT_EQ(said[0].subject_prefix, "[a] ");
  EXPECT_THAT(said[1].skip, ElementsAre("dnsbl", "rate"));
  EXPECT_THAT(said[2].skip, IsEmpty());
}

TEST_F(Policy, ShadowAndEnforcedStandSideBySide) {
  const std::vector<Verdict> said =
      verdicts_of(rule("a", "return sp.reject()", "mode = 'shadow',") + rule("b", "return sp.hit { score = 2 }"));
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0].action, Action::reject);
  EXPECT_TRUE(said[0].shadow);
  EXPECT_EQ(said[1].score, 2);
  EXPECT_FALSE(said[1].shadow);
  EXPECT_TRUE(found().at(0).shadow);
}

TEST_F(Policy, JudgesFromTheFactsAlone) {
  use(rule("a", "return sp.reject()"));
  gather();
  const std::vector<Verdict> before = judge();
  use("");
  ASSERT_EQ(judge().size(), 1u);
  EXPECT_EQ(judge()[0].action, before[0].action);
  EXPECT_EQ(judge()[0].text, before[0].text);
}

TEST_F(Policy, FactsReadBackSayTheSame) {
  verdicts_of(rule("a", "return sp.tag { header = 'X-A: 1' }") + rule("b", "return sp.accept { skip = { 'dnsbl' } }") +
              rule("c", "return sp.hit { score = 2.5, detail = 'why' }") + rule("d", "error()"));
  const std::vector<Verdict> before = judge();
  const auto json = JsonValue::parse(facts.to_json());
  ASSERT_TRUE(json);
  auto read = policies::Facts::from_json(*json, {&rules_facts});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->to_json(), facts.to_json());
  facts = std::move(*read);
  const std::vector<Verdict> after = judge();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(FieldWriter::json(after[i]), FieldWriter::json(before[i]));
  }
}

// -- explain
// --------------------------------------------------------------------------------------------------------------

class Explain : public Policy {
 protected:
  policies::Explained explained(const std::string& source) {
    verdicts_of(source);
    return rules_entry.explain(mail, facts, &settings);
  }
};

TEST_F(Explain, NamesTheRuleThatDecidesFirst) {
  const policies::Explained refused = explained(
      rule("partner", "return sp.accept { skip = { 'rdns' } }") + rule("counted", "return true") +
      rule("never", "return sp.drop()", "mode = 'shadow',") +
      rule("webinars", "return sp.reject(554, '5.7.1', 'No webinars')") + rule("other", "return sp.reject()"));
  EXPECT_EQ(refused.result, "reject");
  EXPECT_EQ(refused.fact, "webinars: reject, No webinars");
  EXPECT_THAT(refused.details, ElementsAre("partner: accept", "counted: hit (score 1)", "never: drop (shadow)",
                                           "other: reject, Refused by local policy"));
}

TEST_F(Explain, NamesTheLargestScoreWhereNothingElseIsSaid) {
  const policies::Explained counted =
      explained(rule("a", "return true") + rule("b", "return sp.hit { score = 4, detail = 'why' }"));
  EXPECT_EQ(counted.result, "hit");
  EXPECT_EQ(counted.fact, "b: hit, why (score 4)");
}

TEST_F(Explain, SaysWhatShadowRulesWouldHaveDoneAndWhereOneFailed) {
  EXPECT_EQ(explained(rule("a", "return sp.reject()", "mode = 'shadow',")).result, "reject");
  EXPECT_EQ(explained("\n" + rule("a", "error()", "on_error = 'skip',")).fact, "a: error, rule_error at r.lua:2: an error that is not a text");
  EXPECT_EQ(explained(rule("a", "")).result, "quiet");
}

// -- stages
// ---------------------------------------------------------------------------------------------------------------

TEST_F(Policy, OneRecipientDoesNotDecideAboutTheNext) {
  use("local sp = require 'sallyport' sp.rule { name = 'a', stage = 'rcpt', run = function(tx) "
      "if tx.rcpt.user == 'bob' then return sp.reject() end end }");
  mail.rcpt = MailAddress{"bob", "example.com"};
  gather(Stage::rcpt);
  EXPECT_EQ(judge(Stage::rcpt).at(0).action, Action::reject);
  mail.rcpt = MailAddress{"eve", "example.com"};
  gather(Stage::rcpt);
  EXPECT_THAT(judge(Stage::rcpt), IsEmpty());
}

TEST_F(Policy, FactsOfOtherStagesStayAndDoNotCount) {
  use("local sp = require 'sallyport' sp.rule { name = 'a', stage = 'connect', score = 4, run = function() return true "
      "end } "
      "sp.rule { name = 'b', stage = 'message', score = 1, run = function() return true end }");
  gather(Stage::connect);
  gather(Stage::message);
  gather(Stage::message);
  EXPECT_EQ(found().size(), 2u);
  EXPECT_EQ(judge(Stage::connect).at(0).score, 4);
  EXPECT_EQ(judge(Stage::message).at(0).score, 1);
}

TEST_F(Policy, AtTheEndRulesSeeWhatBecameOfTheMailAndChangeNothing) {
  use("local sp = require 'sallyport' local function said(tx) return tx.score .. ' ' .. tostring(tx.outcome) end "
      "sp.rule { name = 'a', stage = 'message', run = function(tx) return sp.hit { detail = said(tx) } end } "
      "sp.rule { name = 'b', stage = 'done', run = function(tx) return sp.hit { score = 5, detail = said(tx) } end } "
      "sp.rule { name = 'c', stage = 'done', run = function(tx) return sp.reject(554, '5.7.1', 'too late') end } "
      "sp.rule { name = 'd', stage = 'done', run = function() error() end }");
  EXPECT_TRUE(gatherer->gathers_at(Stage::done));
  policies::GatherContext at_hand = context();
  at_hand.score = 2.5;
  const auto gathering = gatherer->begin();
  loop.run_until_done(gathering->gather(Stage::message, mail, facts, at_hand));
  at_hand.outcome = "relay";
  loop.run_until_done(gathering->gather(Stage::done, mail, facts, at_hand));
  EXPECT_EQ(judge(Stage::message).at(0).because, "2.5 nil");
  const std::vector<Verdict> late = judge(Stage::done);
  ASSERT_EQ(late.size(), 3u);
  EXPECT_EQ(late[0].because, "2.5 relay");
  EXPECT_TRUE(late[2].is_unknown);
  for (const Verdict& verdict : late) {
    EXPECT_EQ(verdict.action, Action::none);
    EXPECT_EQ(verdict.score, 0);
    EXPECT_EQ(verdict.code, 0);
  }
}

// -- failures
// -------------------------------------------------------------------------------------------------------------

TEST_F(Policy, AFailureIsTempfailedCountedAndLoggedWithoutContent) {
  set_message("Subject: very private\r\n\r\n");
  const Verdict verdict = verdict_of("\n" + rule("broken", "error(tx.msg.subject)"));
  EXPECT_EQ(verdict.action, Action::tempfail);
  EXPECT_EQ(verdict.code, 451);
  EXPECT_EQ(verdict.dsn, "4.7.1");
  EXPECT_EQ(verdict.rule, "broken");
  EXPECT_EQ(verdict.because, "rule_error at r.lua:2");
  EXPECT_TRUE(verdict.is_unknown);
  EXPECT_EQ(counters.get(Fault::rule_error), 1u);
  ASSERT_EQ(log.lines.size(), 1u);
  EXPECT_THAT(log.lines[0], HasSubstr("event=fault kind=rule_error id=" + mail.id + " rule=broken file=r.lua line=2"));
  EXPECT_THAT(log.lines[0], testing::Not(HasSubstr("private")));
  const RuleFact fact = found().at(0);
  EXPECT_EQ(fact.answer, RuleAnswer::error);
  EXPECT_EQ(fact.file, "r.lua");
  EXPECT_EQ(fact.line, 2);
  EXPECT_THAT(fact.text + fact.detail, testing::Not(HasSubstr("private")));
}

TEST_F(Policy, OnErrorSkipLeavesTheOtherRules) {
  const std::vector<Verdict> said = verdicts_of(rule("a", "error()", "on_error = 'skip',") + rule("b", "return true"));
  ASSERT_EQ(said.size(), 2u);
  EXPECT_TRUE(said[0].is_unknown);
  EXPECT_EQ(said[0].rule, "a");
  EXPECT_EQ(said[0].action, Action::none);
  EXPECT_EQ(said[1].score, 1);
  EXPECT_EQ(counters.get(Fault::rule_error), 1u);
  EXPECT_EQ(found().at(0).answer, RuleAnswer::error);
}

TEST_F(Policy, BreachesHaveTheirOwnKinds) {
  EXPECT_EQ(verdict_of(rule("a", "while true do end")).action, Action::tempfail);
  EXPECT_EQ(counters.get(Fault::rule_timeout), 1u);
  EXPECT_THAT(log.lines.at(0), HasSubstr("kind=rule_timeout"));
  EXPECT_EQ(verdict_of(rule("a", "string.rep('x', 1 << 40)")).action, Action::tempfail);
  EXPECT_EQ(counters.get(Fault::rule_memory), 1u);
  EXPECT_EQ(verdict_of(rule("a", "local function f() return 1 + f() end f()")).action, Action::tempfail);
  EXPECT_EQ(counters.get(Fault::rule_error), 1u);
}

TEST_F(Policy, AShadowRuleThatFailsChangesNothing) {
  const std::vector<Verdict> said = verdicts_of(rule("a", "error()", "mode = 'shadow',") + rule("b", "return true"));
  ASSERT_EQ(said.size(), 2u);
  EXPECT_TRUE(said[0].shadow);
  EXPECT_TRUE(said[0].is_unknown);
  EXPECT_EQ(said[1].action, Action::none);
  EXPECT_EQ(counters.get(Fault::rule_error), 1u);
}

// What has used up the time was somebody else.
TEST_F(Policy, AfterTheDeadlineRulesRunAndWhatTheyWaitForFails) {
  dns_takes(std::chrono::milliseconds(100));
  deadline = loop.now();
  const Time before = loop.now();
  const std::vector<Verdict> said = verdicts_of(
      rule("a", "return true") +
      rule("b", "local a, why = sp.dns.a('host.example') return sp.hit { detail = tostring(a) .. ' ' .. why }") +
      rule("c",
           "local found, errors = sp.each({ 'n1.example', 'n2.example' }, sp.dns.a) "
           "return sp.hit { detail = errors['n1.example'] .. errors['n2.example'] }") +
      rule("d", "while true do end", "on_error = 'skip',") + rule("e", "return sp.reject()"));
  ASSERT_EQ(said.size(), 5u);
  EXPECT_EQ(said[0].rule, "a");
  EXPECT_FALSE(said[0].is_unknown);
  EXPECT_THAT(said[1].because, testing::HasSubstr("nil timeout"));
  EXPECT_THAT(said[2].because, testing::HasSubstr("timeouttimeout"));
  EXPECT_TRUE(said[3].is_unknown) << "its own processor time is limited as ever";
  EXPECT_EQ(said[4].action, Action::reject);
  EXPECT_EQ(counters.get(Fault::rule_timeout), 1u);
  EXPECT_LT(loop.now() - before, std::chrono::seconds(1));
}

TEST_F(Policy, AfterTheDeadlineALongRuleHasAllItsSlices) {
  deadline = loop.now();
  const std::vector<Verdict> said = verdicts_of(
      rule("long", "local sum = 0 for i = 1, 300000 do sum = sum + i end return sp.hit { detail = 'sum ' .. sum }"));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0].because, testing::HasSubstr("sum 45000150000"));
}

}  // namespace
}  // namespace sallyport::lua
