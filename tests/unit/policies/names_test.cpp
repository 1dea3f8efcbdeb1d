// The names of the API's words, and what verdicts are made of.
#include <gtest/gtest.h>

#include "policies/api/stage.h"
#include "policies/api/verdict.h"

namespace sallyport::policies {
namespace {

TEST(Names, OfStagesAreThoseOfRules) {
  const char* names[] = {"connect", "helo", "mail", "rcpt", "headers", "message", "done"};
  for (std::size_t i = 0; i < std::size(names); ++i) EXPECT_EQ(word(static_cast<Stage>(i)), names[i]);
}

TEST(Names, OfModesAndActionsAreTheContracts) {
  EXPECT_EQ(word(Mode::enforce), "enforce");
  EXPECT_EQ(word(Mode::shadow), "shadow");
  EXPECT_EQ(word(Mode::off), "off");
  const char* names[] = {"none", "accept", "tag", "quarantine", "discard", "tempfail", "reject", "drop"};
  for (std::size_t i = 0; i < std::size(names); ++i) EXPECT_EQ(word(static_cast<Action>(i)), names[i]);
}

TEST(Actions, AreOrderedFromMildToStrict) {
  EXPECT_LT(Action::tag, Action::quarantine);
  EXPECT_LT(Action::discard, Action::tempfail);
  EXPECT_LT(Action::tempfail, Action::reject);
  EXPECT_LT(Action::reject, Action::drop);
}

TEST(Verdict, IsMadeWithTheCodesOfItsAction) {
  const Verdict rejected = Verdict::reject("5.7.1", "No");
  EXPECT_EQ(rejected.action, Action::reject);
  EXPECT_EQ(rejected.code, 550);
  EXPECT_EQ(rejected.dsn, "5.7.1");
  EXPECT_EQ(rejected.text, "No");
  EXPECT_FALSE(rejected.close);
  const Verdict delayed = Verdict::tempfail("4.7.1", "Later");
  EXPECT_EQ(delayed.action, Action::tempfail);
  EXPECT_EQ(delayed.code, 451);
  EXPECT_EQ(Verdict::tempfail("4.7.0", "Later", 421).code, 421);
}

TEST(Verdicts, KeepWhatSaysSomething) {
  Verdicts said;
  said.speaks("dnsbl", Stage::message, Mode::shadow);
  said.add(Verdict());
  said.add(Verdict::scored(0, "nothing"));
  EXPECT_TRUE(said.all().empty());
  Verdict counted_nothing = Verdict::scored(0, "capped");
  counted_nothing.rule = "zen";
  said.add(counted_nothing);
  said.add(Verdict::unknown("dead", "no answer"));
  ASSERT_EQ(said.all().size(), 2u) << "a list that has the client is told of, even when it counts nothing";
  EXPECT_EQ(said.all()[0].check, "dnsbl");
  EXPECT_EQ(said.all()[0].stage, Stage::message);
  EXPECT_TRUE(said.all()[0].shadow);
  EXPECT_TRUE(said.all()[1].is_unknown);
}

}  // namespace
}  // namespace sallyport::policies
