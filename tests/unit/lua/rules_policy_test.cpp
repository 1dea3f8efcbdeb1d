// The rules as a policy: what is gathered, how it is judged, what is counted and logged.
#include "lua/engine/rules_policy.h"

#include <map>

#include "tests/support/manual_loop.h"
#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {
namespace {

using policies::Action;
using policies::RuleFact;
using policies::Stage;
using policies::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class NoResolver final : public io::Resolver {
 public:
  Task<dns::Answer> lookup(dns::Question, Time) override { co_return dns::Answer{}; }
};

class RecordingLog final : public Log {
 public:
  bool write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override {
    lines.push_back(format_line(LogFormat::text, level, event, fields));
    return true;
  }
  std::vector<std::string> lines;
};

class Policy : public RulesTest {
 protected:
  // A rule whose function is `body`.
  static std::string rule(const std::string& name, const std::string& body, const std::string& more = "") {
    return "require('sallyport').rule { name = '" + name + "', stage = 'message', score = 1, " + more +
           " run = function(tx) local sp = require 'sallyport' " + body + " end }\n";
  }

  void use(const std::string& source) {
    write("r.lua", source);
    auto loaded = RuleSet::load(settings);
    ASSERT_TRUE(loaded) << loaded.error().front().message;
    policy = std::make_unique<RulesPolicy>(settings, std::move(*loaded));
  }
  void gather(Stage stage = Stage::message) {
    const policies::Surroundings around{loop.scheduler(), resolver, counters, log, deadline};
    loop.run_until_done(policy->gather(stage, mail, facts, around));
  }
  Verdict judge(Stage stage = Stage::message) { return policy->judge(stage, mail, facts); }
  Verdict verdict_of(const std::string& source) {
    use(source);
    gather();
    return judge();
  }

  support::ManualLoop loop;
  NoResolver resolver;
  Counters counters;
  RecordingLog log;
  Time deadline = loop.now() + std::chrono::seconds(20);
  policies::Facts facts;
  std::unique_ptr<RulesPolicy> policy;
};

TEST_F(Policy, HasANameAndTheModeOfItsSettings) {
  settings.mode = policies::Mode::shadow;
  use("");
  EXPECT_EQ(policy->name(), "rules");
  EXPECT_EQ(policy->mode(), policies::Mode::shadow);
}

TEST_F(Policy, WorksAtTheStagesItHasRulesFor) {
  use(rule("a", "") + rule("b", "", "mode = 'off',"));
  for (Stage stage :
       {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::message, Stage::done}) {
    EXPECT_EQ(policy->gathers_at(stage), stage == Stage::message);
    EXPECT_EQ(policy->judges_at(stage), stage == Stage::message);
  }
}

TEST_F(Policy, RulesThatAreOffDoNotRun) {
  use(rule("a", "return true", "mode = 'off',"));
  EXPECT_FALSE(policy->gathers_at(Stage::message));
  gather();
  EXPECT_THAT(facts.rules.rules, IsEmpty());
}

TEST_F(Policy, NothingToSay) {
  const Verdict verdict = verdict_of(rule("a", ""));
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.score, 0);
  EXPECT_EQ(verdict.rule, "");
  EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(Policy, ScoresAreSummed) {
  const Verdict verdict =
      verdict_of(rule("a", "return true") + rule("b", "return sp.hit { score = 2.5, detail = 'why' }") +
                 rule("c", "return sp.hit { score = -0.5 }"));
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.score, 3);
  EXPECT_EQ(verdict.check, "rules");
}

TEST_F(Policy, TheStrictestVerdictCounts) {
  const Verdict verdict =
      verdict_of(rule("a", "return sp.accept()") + rule("b", "return sp.tempfail(450, '4.7.0', 'later')") +
                 rule("c", "return sp.reject(554, '5.7.9', 'never')") + rule("d", "return sp.discard()") +
                 rule("e", "return true"));
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.rule, "c");
  EXPECT_EQ(verdict.code, 554);
  EXPECT_EQ(verdict.dsn, "5.7.9");
  EXPECT_EQ(verdict.text, "never");
  EXPECT_EQ(verdict.because, "rule c: reject, never");
  EXPECT_EQ(verdict.score, 1);
  EXPECT_FALSE(verdict.close);
  EXPECT_THAT(verdict.skip, IsEmpty());
}

TEST_F(Policy, StrictnessInOrder) {
  const std::vector<std::pair<std::string, Action>> order = {
      {"sp.tag { header = 'X-A: 1' }", Action::tag}, {"sp.accept()", Action::accept}, {"sp.discard()", Action::discard},
      {"sp.tempfail()", Action::tempfail},           {"sp.reject()", Action::reject}, {"sp.drop()", Action::drop}};
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    const std::string milder = "return " + order[i].first;
    const std::string stricter = "return " + order[i + 1].first;
    EXPECT_EQ(verdict_of(rule("a", milder) + rule("b", stricter)).action, order[i + 1].second) << i;
    EXPECT_EQ(verdict_of(rule("a", stricter) + rule("b", milder)).action, order[i + 1].second) << i;
  }
}

TEST_F(Policy, DropAnd421EndTheConnection) {
  EXPECT_TRUE(verdict_of(rule("a", "return sp.drop()")).close);
  EXPECT_TRUE(verdict_of(rule("a", "return sp.tempfail(421)")).close);
  EXPECT_FALSE(verdict_of(rule("a", "return sp.tempfail(451)")).close);
}

TEST_F(Policy, TagsAreAllKept) {
  const Verdict verdict = verdict_of(rule("a", "return sp.tag { header = 'X-A: 1', subject_prefix = '[a] ' }") +
                                     rule("b", "return sp.tag { header = 'X-B: 2', subject_prefix = '[b] ' }") +
                                     rule("c", "return sp.accept { skip = { 'dnsbl' } }"));
  EXPECT_EQ(verdict.action, Action::accept);
  EXPECT_THAT(verdict.add_headers, ElementsAre(Pair("X-A", "1"), Pair("X-B", "2")));
  EXPECT_EQ(verdict.subject_prefix, "[a] [b] ");
  EXPECT_THAT(verdict.skip, ElementsAre("dnsbl"));
}

TEST_F(Policy, SeveralAcceptsSkipWhatAnyOfThemSkips) {
  EXPECT_THAT(verdict_of(rule("a", "return sp.accept { skip = { 'dnsbl' } }") +
                         rule("b", "return sp.accept { skip = { 'rate' } }"))
                  .skip,
              ElementsAre("dnsbl", "rate"));
  EXPECT_THAT(verdict_of(rule("a", "return sp.accept()") + rule("b", "return sp.accept { skip = { 'rate' } }")).skip,
              IsEmpty());
}

TEST_F(Policy, ShadowRulesDoNotCount) {
  Verdict verdict =
      verdict_of(rule("a", "return sp.reject()", "mode = 'shadow',") + rule("b", "return sp.hit { score = 2 }"));
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.score, 2);
  EXPECT_FALSE(verdict.shadow);
  ASSERT_EQ(facts.rules.rules.size(), 2u);
  EXPECT_TRUE(facts.rules.rules[0].shadow);

  verdict = verdict_of(rule("a", "return sp.reject()", "mode = 'shadow',"));
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_TRUE(verdict.shadow);
}

TEST_F(Policy, JudgesFromTheFactsAlone) {
  use(rule("a", "return sp.reject()"));
  gather();
  const Verdict before = judge();
  use("");
  EXPECT_EQ(judge().action, before.action);
  EXPECT_EQ(judge().text, before.text);
}

// -- stages
// ---------------------------------------------------------------------------------------------------------------

TEST_F(Policy, OneRecipientDoesNotDecideAboutTheNext) {
  use("local sp = require 'sallyport' sp.rule { name = 'a', stage = 'rcpt', run = function(tx) "
      "if tx.rcpt.user == 'bob' then return sp.reject() end end }");
  mail.rcpt = policies::EnvelopeAddress{"bob", "example.com", "bob@example.com"};
  gather(Stage::rcpt);
  EXPECT_EQ(judge(Stage::rcpt).action, Action::reject);
  mail.rcpt = policies::EnvelopeAddress{"eve", "example.com", "eve@example.com"};
  gather(Stage::rcpt);
  EXPECT_EQ(judge(Stage::rcpt).action, Action::none);
}

TEST_F(Policy, FactsOfOtherStagesStayAndDoNotCount) {
  use("local sp = require 'sallyport' sp.rule { name = 'a', stage = 'connect', score = 4, run = function() return true "
      "end } "
      "sp.rule { name = 'b', stage = 'message', score = 1, run = function() return true end }");
  gather(Stage::connect);
  gather(Stage::message);
  gather(Stage::message);
  EXPECT_EQ(facts.rules.rules.size(), 2u);
  EXPECT_EQ(judge(Stage::connect).score, 4);
  EXPECT_EQ(judge(Stage::message).score, 1);
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
  EXPECT_EQ(verdict.because, "rule broken: error, rule_error");
  EXPECT_EQ(counters.get(Fault::rule_error), 1u);
  ASSERT_EQ(log.lines.size(), 1u);
  EXPECT_THAT(log.lines[0], HasSubstr("event=fault kind=rule_error id=" + mail.id + " rule=broken file=r.lua line=2"));
  EXPECT_THAT(log.lines[0], testing::Not(HasSubstr("private")));
  const RuleFact& fact = facts.rules.rules.at(0);
  EXPECT_EQ(fact.verdict, "error");
  EXPECT_EQ(fact.file, "r.lua");
  EXPECT_EQ(fact.line, 2);
  EXPECT_THAT(fact.text + fact.detail, testing::Not(HasSubstr("private")));
}

TEST_F(Policy, OnErrorSkipLeavesTheOtherRules) {
  const Verdict verdict = verdict_of(rule("a", "error()", "on_error = 'skip',") + rule("b", "return true"));
  EXPECT_EQ(verdict.action, Action::none);
  EXPECT_EQ(verdict.score, 1);
  EXPECT_EQ(counters.get(Fault::rule_error), 1u);
  EXPECT_EQ(facts.rules.rules.at(0).verdict, "error");
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
  EXPECT_EQ(verdict_of(rule("a", "error()", "mode = 'shadow',") + rule("b", "return true")).action, Action::none);
  EXPECT_EQ(counters.get(Fault::rule_error), 1u);
}

TEST_F(Policy, AfterTheDeadlineRulesCountAsTimedOut) {
  deadline = loop.now();
  EXPECT_EQ(verdict_of(rule("a", "return true") + rule("b", "return true", "on_error = 'skip',")).action,
            Action::tempfail);
  EXPECT_EQ(counters.get(Fault::rule_timeout), 2u);
}

TEST_F(Policy, LongRulesLetTheLoopGoOnBetweenThem) {
  use(rule("a", "while true do end", "on_error = 'skip',") + rule("b", "return true"));
  const policies::Surroundings around{loop.scheduler(), resolver, counters, log, deadline};
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(policy->gather(Stage::message, mail, facts, around));
  loop.run();
  EXPECT_EQ(facts.rules.rules.size(), 1u);
  EXPECT_TRUE(loop.advance_to_next_timer());
  EXPECT_EQ(facts.rules.rules.size(), 2u);
}

TEST_F(Policy, MayBeEndedBetweenTwoRules) {
  use(rule("a", "while true do end", "on_error = 'skip',") + rule("b", "return true"));
  const policies::Surroundings around{loop.scheduler(), resolver, counters, log, deadline};
  {
    async::Nursery nursery(loop.scheduler());
    nursery.spawn(policy->gather(Stage::message, mail, facts, around));
    loop.run();
  }
  facts = {};
  gather();
  EXPECT_EQ(facts.rules.rules.size(), 2u);
}

}  // namespace
}  // namespace sallyport::lua
