#include <gtest/gtest.h>

#include "policies/milters/milters.h"

namespace sallyport::policies {
namespace {

class JudgeMilters : public testing::Test {
 protected:
  JudgeMilters() {
    MilterSettings& milter = settings.milters.emplace_back();
    milter.name = "one";
    found.of("one");
  }

  void said(Stage stage, MilterWord word, int code = 0, std::string dsn = {}, std::vector<std::string> lines = {}) {
    found.of("one").answers.push_back({stage, word, code, std::move(dsn), std::move(lines), {}});
  }
  std::vector<Verdict> judged(Stage stage) {
    Facts facts;
    facts.put(found);
    Verdicts out;
    out.speaks("milters", stage, Mode::enforce);
    judge_milters(stage, {}, facts, settings, out);
    return out.take();
  }
  Verdict only(Stage stage) {
    const std::vector<Verdict> all = judged(stage);
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Verdict() : all.front();
  }

  MiltersSettings settings;
  MiltersFacts found;
};

TEST_F(JudgeMilters, HasTheWordsOfTheMilter) {
  said(Stage::rcpt, MilterWord::reject, 554, "5.7.9", {"one", "t\x01wo"});
  const Verdict verdict = only(Stage::rcpt);
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.code, 554);
  EXPECT_EQ(verdict.dsn, "5.7.9");
  EXPECT_EQ(verdict.text, "one\nt?wo");
  EXPECT_EQ(verdict.rule, "one");
  EXPECT_TRUE(judged(Stage::message).empty()) << "it was about one recipient";
}

TEST_F(JudgeMilters, HasWordsOfItsOwnOtherwise) {
  said(Stage::mail, MilterWord::tempfail);
  EXPECT_EQ(only(Stage::mail).code, 451);
  EXPECT_EQ(only(Stage::mail).dsn, "4.7.1");
}

TEST_F(JudgeMilters, SaysNothingOfWhatGoesOn) {
  for (const Stage stage : {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::message})
    said(stage, stage == Stage::rcpt ? MilterWord::accept : MilterWord::go_on);
  for (const Stage stage : {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::message})
    EXPECT_TRUE(judged(stage).empty());
}

TEST_F(JudgeMilters, HoldsARefusedConnectionAgainstItsMails) {
  said(Stage::helo, MilterWord::reject);
  EXPECT_EQ(only(Stage::mail).action, Action::reject);
}

TEST_F(JudgeMilters, TakesADiscardAtOneRecipientForTheMail) {
  said(Stage::rcpt, MilterWord::discard);
  EXPECT_TRUE(judged(Stage::rcpt).empty());
  EXPECT_EQ(only(Stage::message).action, Action::discard);
}

TEST_F(JudgeMilters, DoesAsOnErrorSays) {
  said(Stage::connect, MilterWord::failed);
  said(Stage::mail, MilterWord::failed);
  EXPECT_EQ(only(Stage::connect).action, Action::none) << "it is tried again at MAIL";
  EXPECT_TRUE(only(Stage::connect).is_unknown);
  EXPECT_EQ(only(Stage::mail).action, Action::tempfail);
  settings.milters[0].on_error = MilterErrorAction::reject;
  EXPECT_EQ(only(Stage::mail).action, Action::reject);
  settings.milters[0].on_error = MilterErrorAction::skip;
  EXPECT_EQ(only(Stage::mail).action, Action::none);
  EXPECT_TRUE(only(Stage::mail).is_unknown);
}

TEST_F(JudgeMilters, ChangesNothingOfWhatIsRefused) {
  found.of("one").changes.header.push_back({milter::HeaderChange::Kind::append, 0, {"X", " y"}});
  said(Stage::message, MilterWord::go_on);
  EXPECT_TRUE(only(Stage::message).changes.has_value());
  found.of("one").answers[0].word = MilterWord::reject;
  EXPECT_FALSE(only(Stage::message).changes.has_value());
}

TEST_F(JudgeMilters, InShadowModeGivesShadows) {
  settings.milters[0].mode = Mode::shadow;
  said(Stage::message, MilterWord::reject);
  EXPECT_TRUE(only(Stage::message).shadow);
  settings.milters[0].mode = Mode::off;
  EXPECT_TRUE(judged(Stage::message).empty());
}

}  // namespace
}  // namespace sallyport::policies
