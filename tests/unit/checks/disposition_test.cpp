#include "gateway/checks/disposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::checks {
namespace {

using policies::Action;
using policies::ActionSettings;
using policies::Mode;
using policies::Stage;
using policies::Verdict;
using policies::Verdicts;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Verdict scored(std::string rule, double score, std::string because = {}) {
  Verdict verdict = Verdict::scored(score, std::move(because));
  verdict.rule = std::move(rule);
  return verdict;
}

Verdict acting(Action action, std::string rule = {}) {
  Verdict verdict;
  verdict.action = action;
  verdict.rule = std::move(rule);
  return verdict;
}

// What was said, in order: check, mode, verdict.
class Said {
 public:
  Said& by(std::string_view check, Verdict verdict, Mode mode = Mode::enforce) {
    said_.speaks(check, Stage::message, mode);
    said_.add(std::move(verdict));
    return *this;
  }
  std::vector<Verdict> take() { return said_.take(); }

 private:
  Verdicts said_;
};

TEST(Disposition, NothingSaidLetsTheMailPass) {
  const Disposition disposition = dispose({}, {});
  EXPECT_EQ(disposition.action, Action::none);
  EXPECT_FALSE(disposition.refuses());
  EXPECT_THAT(disposition.reason.check, IsEmpty());
}

TEST(Disposition, TheStrictestVerdictDecidesAndOfEqualOnesTheFirst) {
  const auto said = Said()
                        .by("rules", acting(Action::tag, "MARKS"))
                        .by("spf", Verdict::reject("5.7.23", "No", 553))
                        .by("dmarc", Verdict::reject("5.7.1", "Never"))
                        .take();
  const Disposition disposition = dispose(said, {});
  EXPECT_EQ(disposition.action, Action::reject);
  EXPECT_EQ(disposition.reason.check, "spf");
  EXPECT_EQ(disposition.code, 553);
  EXPECT_EQ(disposition.dsn, "5.7.23");
}

TEST(Disposition, ShadowDecidesNothingAndIsTold) {
  auto refusal = Verdict::reject("5.7.1", "No");
  refusal.because = "listed";
  const auto said =
      Said().by("dnsbl", refusal, Mode::shadow).by("rules", scored("BIG", 20, "big words"), Mode::shadow).take();
  EXPECT_EQ(dispose(said, {}).action, Action::none);
  EXPECT_EQ(score(said), 0);
  EXPECT_THAT(symbols(said), ElementsAre("~dnsbl", "~rules:BIG(20)"));
  EXPECT_THAT(shadows(said), ElementsAre("dnsbl reject: listed", "rules:BIG score 20: big words"));
}

TEST(Disposition, ASumNamesItsPartsTheLargestFirst) {
  const auto said = Said()
                        .by("helo", Verdict::scored(2, "HELO x is not fully qualified"))
                        .by("rules", scored("TOO_MUCH", 9, "exclamation"))
                        .by("dnsbl", scored("white", -1.5))
                        .by("rules", scored("ALSO", 8))
                        .take();
  const Disposition disposition = dispose(said, {});
  EXPECT_EQ(disposition.action, Action::reject);
  EXPECT_EQ(disposition.reason.check, "score");
  EXPECT_EQ(disposition.reason.rule, "rules:TOO_MUCH");
  EXPECT_EQ(disposition.reason.because,
            "17.5 of 15: rules:TOO_MUCH(9) exclamation, rules:ALSO(8), helo(2) HELO x is not fully qualified, "
            "dnsbl:white(-1.5)");
}

TEST(Disposition, EachThresholdIsReachedAtItsOwnNumber) {
  const auto sum_of = [](double sum) { return Said().by("rules", scored("X", sum)).take(); };
  const ActionSettings actions{.tag = 4, .quarantine = 7, .reject = 9};
  EXPECT_EQ(dispose(sum_of(3.99), actions).action, Action::none);
  EXPECT_EQ(dispose(sum_of(4), actions).action, Action::tag);
  EXPECT_EQ(dispose(sum_of(6.99), actions).action, Action::tag);
  EXPECT_EQ(dispose(sum_of(8.99), actions).action, Action::quarantine);
  EXPECT_EQ(dispose(sum_of(9), actions).action, Action::reject);
}

TEST(Disposition, AVerdictOutranksAMilderSum) {
  const auto said = Said().by("rules", acting(Action::discard, "GONE")).by("rules", scored("X", 6)).take();
  EXPECT_EQ(dispose(said, {}).action, Action::discard);
  EXPECT_EQ(dispose(said, {}).reason.rule, "GONE");
}

TEST(Disposition, WhatARuleAcceptsNoLongerCounts) {
  Verdict accept = acting(Action::accept, "PARTNER");
  accept.skip = {"spf", "dnsbl"};
  const auto said = Said()
                        .by("rules", accept)
                        .by("spf", Verdict::reject("5.7.23", "No"))
                        .by("dnsbl", scored("zen", 8))
                        .by("helo", Verdict::scored(2, ""))
                        .take();
  EXPECT_EQ(dispose(said, {}).action, Action::accept);
  EXPECT_EQ(score(said), 2);
  EXPECT_TRUE(is_skipped("spf", said));
  EXPECT_FALSE(is_skipped("helo", said));
}

TEST(Disposition, AnAcceptWithoutAListSkipsAllAndOneInShadowNothing) {
  EXPECT_TRUE(is_skipped("anything", Said().by("rules", acting(Action::accept)).take()));
  EXPECT_FALSE(is_skipped("anything", Said().by("rules", acting(Action::accept), Mode::shadow).take()));
}

TEST(Disposition, OfSeveralRulesOfAStageTheStrictestDecides) {
  const std::vector<Action> order = {Action::tag,      Action::quarantine, Action::discard,
                                     Action::tempfail, Action::reject,     Action::drop};
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    const Verdict milder = acting(order[i], "A");
    const Verdict stricter = acting(order[i + 1], "B");
    EXPECT_EQ(dispose(Said().by("rules", milder).by("rules", stricter).take(), {}).action, order[i + 1]);
    EXPECT_EQ(dispose(Said().by("rules", stricter).by("rules", milder).take(), {}).action, order[i + 1]);
    const auto accepted = Said().by("rules", acting(Action::accept, "PARTNER")).by("rules", stricter).take();
    EXPECT_EQ(dispose(accepted, {}).action, order[i + 1]);
    EXPECT_EQ(dispose(accepted, {}).reason.rule, "B");
    EXPECT_FALSE(is_skipped("spf", accepted)) << "an accept that gives way skips nothing";
  }
}

TEST(Disposition, AnAcceptLeavesTagsBesideItAndNoScore) {
  const auto said = Said()
                        .by("rules", acting(Action::accept, "PARTNER"))
                        .by("rules", acting(Action::tag, "MARKS"))
                        .by("rules", scored("COUNTED", 20))
                        .by("dnsbl", scored("zen", 8))
                        .take();
  EXPECT_EQ(score(said), 0);
  EXPECT_EQ(dispose(said, {}).action, Action::tag);
  EXPECT_EQ(dispose(said, {}).reason.rule, "MARKS");
}

TEST(Disposition, SeveralAcceptsSkipWhatAnyOfThemSkips) {
  Verdict one = acting(Action::accept, "A");
  one.skip = {"dnsbl"};
  Verdict other = acting(Action::accept, "B");
  other.skip = {"rate"};
  const auto said = Said().by("rules", one).by("rules", other).take();
  EXPECT_TRUE(is_skipped("dnsbl", said) && is_skipped("rate", said));
  EXPECT_FALSE(is_skipped("spf", said));
}

TEST(Disposition, SymbolsNameEachFindingOnce) {
  auto at_rcpt = Said().by("dnsbl", acting(Action::reject, "zen"), Mode::shadow).take();
  const auto at_end = Said()
                          .by("dnsbl", scored("zen", 8), Mode::shadow)
                          .by("dnsbl", Verdict::unknown("dead", "timeout"))
                          .by("rules", scored("LOTTERY", 2))
                          .by("rules", acting(Action::tag, "MARKS"))
                          .take();
  at_rcpt.insert(at_rcpt.end(), at_end.begin(), at_end.end());
  EXPECT_THAT(symbols(at_rcpt), ElementsAre("~dnsbl:zen(8)", "!dnsbl:dead", "rules:LOTTERY(2)", "rules:MARKS"));
}

TEST(Disposition, WhatSaysNothingIsNotKept) {
  EXPECT_THAT(Said().by("spf", Verdict()).by("dkim", Verdict::scored(0, "broken")).take(), IsEmpty());
}

}  // namespace
}  // namespace sallyport::checks
