// What DNS may cost a session: questions (threats.md D6) and time (D7). The resolver's own side of it is tested with
// it.
#include <gtest/gtest.h>

#include <algorithm>

#include "policies/dnsbl/dnsbl.h"
#include "tests/unit/session/world.h"

namespace sallyport::checks {
namespace {

using namespace session;

using dns::Status;
using policies::Stage;

// Looks names up, one after the other, at the stages of a mail that it is told to.
class Curious final : public TestPolicy {
 public:
  struct Seen {
    std::vector<Status> answers;
    // How long each stage has taken.
    std::vector<Duration> waits;
    std::size_t count(Status status) const {
      return static_cast<std::size_t>(std::count(answers.begin(), answers.end(), status));
    }
  };

  Curious(Seen& seen, std::vector<Stage> stages, unsigned questions)
      : seen_(seen), stages_(std::move(stages)), questions_(questions) {}

  std::string_view name() const override { return "curious"; }
  bool gathers_at(Stage stage) const override { return std::count(stages_.begin(), stages_.end(), stage) > 0; }
  Task<void> gather(Stage, const policies::Transaction&, policies::Facts&,
                    const policies::GatherContext& context) const override {
    Time began = context.scheduler.now();
    for (unsigned n = 0; n < questions_; ++n) {
      dns::Question question{"n" + std::to_string(seen_.answers.size()) + ".example", dns::Type::A};
      auto answer = co_await context.resolver.lookup(std::move(question), context.deadline);
      seen_.answers.push_back(answer.status);
    }
    seen_.waits.push_back(context.scheduler.now() - began);
  }

 private:
  Seen& seen_;
  std::vector<Stage> stages_;
  unsigned questions_;
};

class DnsLimits : public testing::Test {
 protected:
  void ask_at(std::vector<Stage> stages, unsigned questions) {
    world.add(std::make_unique<Curious>(seen, std::move(stages), questions));
  }
  // A whole mail, which is relayed.
  void mail() {
    world.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
    world.say("DATA\r\n");
    EXPECT_EQ(world.say("Subject: x\r\n\r\nhello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  }
  // One that its client gives up.
  void begun_mail() { EXPECT_EQ(world.say("MAIL FROM:<ann@example.org>\r\nRSET\r\n").substr(0, 4), "250 "); }
  std::uint64_t excesses() {
    std::uint64_t lines = 0;
    for (const LoggedEvent& event : world.log.events) {
      if (event.event != "violation" || event.field("kind") != "dns_budget") continue;
      ++lines;
      EXPECT_EQ(event.field("ip"), "192.0.2.1");
      EXPECT_NE(event.field("id"), "");
    }
    EXPECT_EQ(world.counters.get(Violation::dns_budget), lines);
    return lines;
  }

  Curious::Seen seen;
  World world;
};

TEST_F(DnsLimits, AMessageHasItsQuestionsOverAllStages) {
  ask_at({Stage::mail, Stage::rcpt, Stage::message}, 50);
  world.greet();
  mail();
  EXPECT_EQ(seen.count(Status::nxdomain), 100u);
  EXPECT_EQ(seen.count(Status::budget), 50u) << "those at the last stage";
  EXPECT_EQ(seen.answers.back(), Status::budget);
  EXPECT_EQ(world.resolver.asked().size(), 100u) << "of the fifty only the cache was asked";
  EXPECT_EQ(excesses(), 1u);
}

TEST_F(DnsLimits, OneQuestionLessIsNoExcess) {
  ask_at({Stage::mail}, 100);
  world.greet();
  mail();
  EXPECT_EQ(seen.count(Status::budget), 0u);
  EXPECT_EQ(excesses(), 0u);
}

TEST_F(DnsLimits, ASessionThatDeliversNothingHasTwoHundredInAll) {
  ask_at({Stage::mail}, 90);
  world.greet();
  for (int n = 0; n < 5; ++n) begun_mail();
  EXPECT_EQ(seen.count(Status::nxdomain), 200u);
  EXPECT_EQ(excesses(), 3u) << "the third message, the fourth and the fifth, each once";
}

TEST_F(DnsLimits, ARelayedMessageEarnsAHundred) {
  ask_at({Stage::mail}, 100);
  world.greet();
  for (int n = 0; n < 10; ++n) mail();
  EXPECT_EQ(world.upstream.stored.size(), 10u);
  EXPECT_EQ(seen.count(Status::nxdomain), 1000u);
  EXPECT_EQ(excesses(), 0u);
}

TEST_F(DnsLimits, WhatTheCacheKnowsIsFree) {
  ask_at({Stage::mail}, 300);
  world.resolver.set_from_cache(true);
  world.greet();
  for (int n = 0; n < 3; ++n) begun_mail();
  EXPECT_EQ(seen.count(Status::nxdomain), 900u);
  EXPECT_EQ(excesses(), 0u);
}

TEST_F(DnsLimits, TheSettingsCount) {
  world.settings.limits.dns_per_message = 3;
  world.settings.limits.dns_per_session = 5;
  ask_at({Stage::mail}, 4);
  world.greet();
  begun_mail();
  begun_mail();
  EXPECT_EQ(seen.count(Status::nxdomain), 5u);
  EXPECT_EQ(excesses(), 2u);
}

// -- D7
// -------------------------------------------------------------------------------------------------------------------

class DnsTime : public DnsLimits {
 protected:
  // Answers nothing to anybody, so that each question takes what its asker gives it.
  void be_silent() {
    support::DnsZone zone;
    zone.set_default("TIMEOUT");
    world.resolver = support::TableResolver(zone, world.loop.scheduler(), std::chrono::milliseconds(1));
  }
  Duration waited() const {
    Duration sum{};
    for (Duration wait : seen.waits) sum += wait;
    return sum;
  }
};

TEST_F(DnsTime, AMessageHasTwentySecondsOverAllStages) {
  be_silent();
  ask_at({Stage::mail, Stage::rcpt, Stage::headers, Stage::message}, 3);
  world.greet();
  EXPECT_EQ(world.say("MAIL FROM:<ann@example.org>\r\n"), "");
  world.advance(std::chrono::seconds(20));
  EXPECT_EQ(world.heard(), "250 2.1.0 Ok\r\n");
  // Its time is up: nothing more is waited for, and the mail goes on.
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.say("DATA\r\n").substr(0, 4), "354 ");
  EXPECT_EQ(world.say("Subject: x\r\n\r\nhello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(waited(), Duration(std::chrono::seconds(20)));
  EXPECT_EQ(seen.count(Status::timeout), 12u);
}

TEST_F(DnsTime, WhatTheClientTakesIsNotCounted) {
  be_silent();
  ask_at({Stage::rcpt}, 1);
  world.greet();
  EXPECT_EQ(world.say("MAIL FROM:<ann@example.org>\r\n"), "250 2.1.0 Ok\r\n");
  world.advance(std::chrono::seconds(100));
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "");
  world.advance(std::chrono::seconds(20));
  EXPECT_EQ(world.heard(), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(waited(), Duration(std::chrono::seconds(20)));
}

TEST_F(DnsTime, TheNextMessageHasItsOwn) {
  be_silent();
  ask_at({Stage::mail}, 1);
  world.greet();
  for (int n = 1; n <= 2; ++n) {
    EXPECT_EQ(world.say("MAIL FROM:<ann@example.org>\r\n"), "");
    world.advance(std::chrono::seconds(20));
    EXPECT_EQ(world.heard(), "250 2.1.0 Ok\r\n");
    EXPECT_EQ(waited(), Duration(std::chrono::seconds(20 * n)));
    world.say("RSET\r\n");
  }
}

// The lists are looked up from the connection's beginning on; what they take of a mail's time is what it waits for
// them.
TEST_F(DnsTime, SilentListsRefuseNobody) {
  be_silent();
  world.settings.policy.edit(policies::dnsbl_section).zones["bl.example"].score = 8.0;
  world.add(policies::dnsbl_entry);
  world.greet();
  EXPECT_EQ(world.say("MAIL FROM:<ann@example.org>\r\n"), "");
  world.advance(std::chrono::seconds(20));
  EXPECT_EQ(world.heard(), "250 2.1.0 Ok\r\n");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.log.find("check=dnsbl"), "");
}

}  // namespace
}  // namespace sallyport::checks
