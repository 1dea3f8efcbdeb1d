// What verdicts change of a mail: its header, its way, and what other checks' verdicts do.
#include "gateway/checks/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/checks/disposition.h"

namespace sallyport::checks {
namespace {

using policies::Action;
using policies::Mode;
using policies::Stage;
using policies::Verdict;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using Fate = HeaderChanges::Fate;

class Said {
 public:
  Said& by(std::string_view check, Verdict verdict, Stage stage = Stage::message, Mode mode = Mode::enforce) {
    said_.speaks(check, stage, mode);
    said_.add(std::move(verdict));
    return *this;
  }
  const std::vector<Verdict>& all() const { return said_.all(); }

 private:
  policies::Verdicts said_;
};

Verdict rule(std::string name) {
  Verdict verdict;
  verdict.rule = std::move(name);
  return verdict;
}

Verdict edits(std::string name, std::vector<policies::HeaderEdit> edits) {
  Verdict verdict = rule(std::move(name));
  verdict.header_edits = std::move(edits);
  return verdict;
}

Verdict redirects(std::string name, std::string upstream) {
  Verdict verdict = rule(std::move(name));
  verdict.redirect = std::move(upstream);
  return verdict;
}

Verdict overrides(std::string name, std::string check, Action to, std::string reason = {}) {
  Verdict verdict = rule(std::move(name));
  verdict.override_check = std::move(check);
  verdict.override_to = to;
  verdict.because = std::move(reason);
  return verdict;
}

// "x:1" of each field that stays as it is or has another value, and "+x:1" of what is added.
std::vector<std::string> outcome(const std::vector<Verdict>& said, const std::string& octets) {
  const mail::HeaderSection header(octets);
  const HeaderChanges changes = header_changes(said, header);
  std::vector<std::string> left;
  for (const auto& [name, value] : changes.added) left.push_back("+" + name + ":" + value);
  for (std::size_t i = 0; i < header.fields().size(); ++i) {
    const mail::HeaderField& field = header.fields()[i];
    const HeaderChanges::Field change = changes.fields.empty() ? HeaderChanges::Field() : changes.fields[i];
    if (change.fate == Fate::stays) left.push_back(std::string(field.whole.substr(0, field.whole.size() - 2)));
    if (change.fate == Fate::replaced) left.push_back(std::string(field.name) + "=" + std::string(change.value));
  }
  return left;
}

const std::string header = "a: 1\r\nB: 2\r\nA: 3\r\n";

TEST(HeaderChanges, AreOfAllFieldsOfANameOrOfOne) {
  EXPECT_THAT(outcome(Said().by("rules", edits("R", {{"A", 0, {}}})).all(), header), ElementsAre("B: 2"));
  EXPECT_THAT(outcome(Said().by("rules", edits("R", {{"a", 2, {}}})).all(), header), ElementsAre("a: 1", "B: 2"));
  EXPECT_THAT(outcome(Said().by("rules", edits("R", {{"a", 3, {}}, {"C", 0, {}}})).all(), header),
              ElementsAre("a: 1", "B: 2", "A: 3"));
  EXPECT_THAT(outcome(Said().by("rules", edits("R", {{"A", 0, "x"}})).all(), header), ElementsAre("a=x", "B: 2"));
  EXPECT_THAT(outcome(Said().by("rules", edits("R", {{"A", 2, "x"}})).all(), header),
              ElementsAre("a: 1", "B: 2", "A=x"));
  EXPECT_THAT(outcome(Said().by("rules", edits("R", {{"C", 0, "x"}})).all(), header),
              ElementsAre("+C:x", "a: 1", "B: 2", "A: 3"));
}

// What a rule says of each recipient is done once; what it says twice of the mail is its own wish.
TEST(HeaderChanges, OfEachRecipientAreMadeOnce) {
  Verdict tag = rule("EXT");
  tag.action = Action::tag;
  tag.add_headers = {{"X-A", "1"}};
  tag.subject_prefix = "[x] ";
  Verdict other = tag;
  other.rule = "OTHER";
  const Said said = Said().by("rules", tag, Stage::rcpt).by("rules", tag, Stage::rcpt).by("rules", other, Stage::rcpt);
  EXPECT_THAT(outcome(said.all(), ""), ElementsAre("+X-A:1", "+X-A:1"));
  EXPECT_THAT(changes(said.all(), true),
              ElementsAre("rules:EXT add X-A, subject [x]", "rules:OTHER add X-A, subject [x]"));
  tag.add_headers.push_back(tag.add_headers.front());
  EXPECT_THAT(outcome(Said().by("rules", tag).all(), ""), ElementsAre("+X-A:1", "+X-A:1"));
}

// Numbers count what came, whatever other rules do; of several changes of one field the last one holds; and what rules
// add is not changed by others.
TEST(HeaderChanges, OfSeveralRulesAreThoseOfTheLast) {
  EXPECT_THAT(
      outcome(Said().by("rules", edits("R", {{"A", 1, {}}})).by("rules", edits("S", {{"A", 2, "x"}})).all(), header),
      ElementsAre("B: 2", "A=x"));
  EXPECT_THAT(
      outcome(Said().by("rules", edits("R", {{"A", 0, {}}})).by("rules", edits("S", {{"A", 0, "x"}})).all(), header),
      ElementsAre("a=x", "B: 2"));
  EXPECT_THAT(outcome(Said().by("rules", edits("R", {{"C", 0, "x"}, {"c", 0, "y"}, {"C", 0, {}}})).all(), header),
              ElementsAre("+c:y", "a: 1", "B: 2", "A: 3"));
}

TEST(HeaderChanges, CountOnlyWhereTheVerdictDoes) {
  const Verdict change = edits("R", {{"A", 0, {}}});
  EXPECT_EQ(outcome(Said().by("rules", change, Stage::message, Mode::shadow).all(), header).size(), 3u);
  Verdict accept = rule("OK");
  accept.action = Action::accept;
  accept.skip = {"rules"};
  EXPECT_EQ(outcome(Said().by("other", accept).by("rules", change).all(), header).size(), 3u);
}

TEST(HeaderChanges, StandBesideAnAcceptOfTheSameStage) {
  Verdict accept = rule("OK");
  accept.action = Action::accept;
  const Said said = Said().by("rules", accept).by("rules", edits("R", {{"A", 0, {}}})).by("rules", redirects("G", "x"));
  EXPECT_THAT(outcome(said.all(), header), ElementsAre("B: 2"));
  EXPECT_EQ(redirect(said.all()), "x");
}

TEST(HeaderChanges, RemoveWhatOnlySomeReadersTakeForTheField) {
  EXPECT_THAT(outcome(Said().by("rules", edits("R", {{"A", 0, {}}})).all(), "A\r\n : 1\r\nA : 2\r\nB: 3\r\n"),
              ElementsAre("B: 3"));
}

TEST(Changes, AreToldByRule) {
  Verdict tag = rule("EXT");
  tag.action = Action::tag;
  tag.subject_prefix = "[EXT] ";
  tag.add_headers = {{"X-Ext", "secret"}};
  const Said said = Said()
                        .by("rules", tag)
                        .by("rules", edits("OLD", {{"X-Old", 0, {}}, {"X-New", 2, "v"}}))
                        .by("rules", redirects("GO", "archive"))
                        .by("rules", overrides("SOFT", "dmarc", Action::tag, "a list"))
                        .by("rules", overrides("SOFTER", "spf", Action::none));
  EXPECT_THAT(changes(said.all(), true),
              ElementsAre("rules:EXT add X-Ext, subject [EXT]", "rules:OLD remove X-Old, replace X-New 2",
                          "rules:GO redirect archive", "rules:SOFT override dmarc to tag",
                          "rules:SOFTER override spf to relay"));
  EXPECT_THAT(changes(said.all(), false), ElementsAre("rules:GO redirect archive", "rules:SOFT override dmarc to tag",
                                                      "rules:SOFTER override spf to relay"));
  const Said shadow = Said().by("rules", redirects("GO", "archive"), Stage::rcpt, Mode::shadow);
  EXPECT_THAT(changes(shadow.all(), true), IsEmpty());
  EXPECT_THAT(shadows(shadow.all()), ElementsAre("rules:GO redirect archive"));
}

TEST(Redirect, OfTheLatestStageAndTheFirstRuleHolds) {
  Said said = Said().by("rules", redirects("A", "one"), Stage::rcpt).by("rules", redirects("B", "two"), Stage::rcpt);
  EXPECT_EQ(redirect(said.all()), "one");
  said.by("rules", redirects("C", "three"), Stage::message, Mode::shadow);
  EXPECT_EQ(redirect(said.all()), "one");
  said.by("rules", redirects("D", "four"), Stage::message);
  EXPECT_EQ(redirect(said.all()), "four");
}

Verdict refusal() {
  Verdict verdict = Verdict::reject("5.7.1", "No", 554);
  verdict.because = "fails";
  return verdict;
}

TEST(Override, MakesTheVerdictsOfACheckMilder) {
  const Said said = Said().by("dmarc", refusal()).by("rules", overrides("SOFT", "dmarc", Action::tag, "a list"));
  const Disposition disposition = dispose(said.all(), {});
  EXPECT_EQ(disposition.action, Action::tag);
  EXPECT_EQ(disposition.reason.check, "dmarc");
  EXPECT_EQ(disposition.reason.because, "fails; reject overridden by rules:SOFT: a list");
  EXPECT_EQ(disposition.code, 0);
}

// Whatever it names: no override makes anything stricter, nor another check's verdict milder.
TEST(Override, OnlyLoosens) {
  for (int from = 0; from <= static_cast<int>(Action::drop); ++from) {
    for (int to = 0; to <= static_cast<int>(Action::drop); ++to) {
      Verdict verdict;
      verdict.action = static_cast<Action>(from);
      if (verdict.action == Action::accept) continue;  // it takes the override out of the count
      const auto milder = overrides("SOFT", "dmarc", static_cast<Action>(to));
      const Said said = Said().by("dmarc", verdict).by("spf", verdict).by("rules", milder);
      for (const Verdict& one : said.all()) {
        const Action before = one.action;
        const Action after = effective_action(one, said.all());
        EXPECT_EQ(after, one.check == "dmarc" ? std::min(before, static_cast<Action>(to)) : before) << from << to;
      }
    }
  }
}

TEST(Override, OfAnEarlierStageHoldsLater) {
  const Said before = Said().by("rules", overrides("SOFT", "spf", Action::none), Stage::mail);
  const Said now = Said().by("spf", refusal(), Stage::rcpt);
  EXPECT_EQ(strictest(now.all(), before.all()).action, Action::none);
  EXPECT_EQ(strictest(now.all(), {}).action, Action::reject);
}

TEST(Override, InShadowChangesNothingAndIsTold) {
  const Said said = Said()
                        .by("dmarc", refusal())
                        .by("rules", overrides("SOFT", "dmarc", Action::tag, "a list"), Stage::message, Mode::shadow);
  EXPECT_EQ(dispose(said.all(), {}).action, Action::reject);
  EXPECT_THAT(shadows(said.all()), ElementsAre("rules:SOFT override dmarc to tag: a list"));
}

TEST(Override, LeavesScoresAlone) {
  Verdict scored = refusal();
  scored.score = 20;
  const Said said = Said().by("dnsbl", scored).by("rules", overrides("SOFT", "dnsbl", Action::none));
  EXPECT_EQ(dispose(said.all(), {}).action, Action::reject);
  EXPECT_EQ(dispose(said.all(), {}).reason.check, "score");
}

TEST(Quarantine, HasAThresholdOfItsOwn) {
  const auto sum_of = [](double sum) {
    Verdict verdict = rule("X");
    verdict.score = sum;
    return Said().by("rules", verdict).all();
  };
  const policies::ActionSettings actions{.tag = 4, .quarantine = 7, .reject = 9};
  EXPECT_EQ(dispose(sum_of(6.99), actions).action, Action::tag);
  EXPECT_EQ(dispose(sum_of(7), actions).action, Action::quarantine);
  EXPECT_EQ(dispose(sum_of(7), actions).reason.because, "7 of 7: rules:X(7)");
  EXPECT_EQ(dispose(sum_of(9), actions).action, Action::reject);
}

}  // namespace
}  // namespace sallyport::checks
