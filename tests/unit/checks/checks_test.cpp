// What a session makes of what its policies say.
#include <gtest/gtest.h>

#include "gateway/async/wait.h"
#include "tests/unit/session/world.h"

namespace sallyport::checks {
namespace {

using namespace session;

using policies::Action;
using policies::Facts;
using policies::Stage;
using policies::Transaction;
using policies::Verdict;

// A policy that does what the test wants.
class Scripted final : public TestPolicy {
 public:
  using Judge = std::function<Verdict(const Transaction&)>;
  explicit Scripted(std::string name) : name_(std::move(name)) {}

  Scripted& at(Stage stage, Judge judge) {
    judges_[stage] = std::move(judge);
    return *this;
  }
  Scripted& waits_at(Stage stage, Duration duration) {
    waits_[stage] = duration;
    return *this;
  }
  // Adds each piece of the body, "|" for each gathering at stage message, "!" when the content has been judged.
  Scripted& watches(std::string& body) {
    body_ = &body;
    return *this;
  }

  std::string_view name() const override { return name_; }
  bool gathers_at(Stage stage) const override {
    return waits_.count(stage) > 0 || (body_ != nullptr && stage == Stage::message);
  }
  bool precedes_greeting() const override { return judges_.count(Stage::connect) > 0; }
  std::unique_ptr<policies::Gathering> begin() const override {
    if (body_ == nullptr) return TestPolicy::begin();
    return std::make_unique<Watcher>(*body_);
  }
  Task<void> gather(Stage stage, const Transaction&, Facts&, const policies::GatherContext& context) const override {
    co_await async::sleep_for(context.scheduler, waits_.at(stage));
  }
  void judge(Stage stage, const Transaction& mail, const Facts&, policies::Verdicts& out) const override {
    const auto judge = judges_.find(stage);
    if (judge != judges_.end()) out.add(judge->second(mail));
  }

 private:
  class Watcher final : public policies::Gathering {
   public:
    explicit Watcher(std::string& body) : body_(body) {}
    bool wants_body(const Transaction&) override { return true; }
    void body(std::string_view octets) override { body_ += octets; }
    Task<void> gather(Stage, const Transaction&, Facts&, const policies::GatherContext&) override {
      body_ += "|";
      co_return;
    }
    void content_judged() override { body_ += "!"; }

   private:
    std::string& body_;
  };

  std::string name_;
  std::map<Stage, Judge> judges_;
  std::map<Stage, Duration> waits_;
  std::string* body_ = nullptr;
};

Verdict nothing() { return {}; }

Verdict scored(double score) {
  Verdict verdict;
  verdict.score = score;
  return verdict;
}

Verdict does(Action action) {
  Verdict verdict;
  verdict.action = action;
  return verdict;
}

Verdict accept(std::vector<std::string> skip) {
  Verdict verdict = does(Action::accept);
  verdict.skip = std::move(skip);
  return verdict;
}

class ChecksTest : public testing::Test {
 protected:
  Scripted& add(std::string name) {
    return static_cast<Scripted&>(world.add(std::make_unique<Scripted>(std::move(name))));
  }
  // A whole mail; the answer to its end.
  std::string mail(std::string_view content = "Subject: x\r\n\r\nhello\r\n") {
    world.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
    world.say("DATA\r\n");
    return world.say(std::string(content) + ".\r\n");
  }
  std::string stored() const { return world.upstream.stored.empty() ? "" : world.upstream.stored.back().content; }

  World world;
};

TEST_F(ChecksTest, ThoseWhoHaveReadTheContentHearWhenNobodyWillReadItAgain) {
  std::string body;
  add("reader").watches(body);
  world.greet();
  EXPECT_EQ(mail("\r\nhello\r\n").substr(0, 4), "250 ");
  EXPECT_EQ(body, "hello\r\n|!");
}

TEST_F(ChecksTest, WhereSomebodyLooksBackTheContentIsKept) {
  std::string body;
  add("reader").watches(body);
  add("historian").waits_at(Stage::done, Duration::zero());
  world.greet();
  EXPECT_EQ(mail("\r\nhello\r\n").substr(0, 4), "250 ");
  EXPECT_EQ(body, "hello\r\n|");
}

TEST_F(ChecksTest, WhatTakesLongRunsBesideTheDialogueAndIsWaitedForAtMail) {
  add("lists").waits_at(Stage::connect, std::chrono::seconds(5)).at(Stage::rcpt, [](auto&) {
    return Verdict::reject("5.7.1", "Listed");
  });
  world.connect();
  EXPECT_EQ(world.heard().substr(0, 4), "220 ");
  EXPECT_NE(world.say("EHLO client.example\r\n"), "");
  EXPECT_EQ(world.say("MAIL FROM:<ann@example.org>\r\n"), "");
  world.advance(std::chrono::seconds(6));
  EXPECT_EQ(world.heard(), "250 2.1.0 Ok\r\n");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n").substr(0, 21), "550 5.7.1 Listed (id ");
}

TEST_F(ChecksTest, WhatJudgesTheConnectionIsWaitedForBeforeTheGreeting) {
  add("rate").waits_at(Stage::connect, std::chrono::seconds(1)).at(Stage::connect, [](auto&) {
    return Verdict::tempfail("4.7.1", "Too fast", 421);
  });
  world.connect();
  EXPECT_EQ(world.heard(), "");
  world.advance(std::chrono::seconds(2));
  EXPECT_EQ(world.heard().substr(0, 19), "421 4.7.1 Too fast ");
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Total::connections_refused), 1u);
}

TEST_F(ChecksTest, TheStrictestCounts) {
  add("a").at(Stage::message, [](auto&) { return Verdict::tempfail("4.7.1", "later"); });
  add("b").at(Stage::message, [](auto&) { return Verdict::reject("5.7.1", "never"); });
  add("c").at(Stage::message, [](auto&) { return does(Action::tag); });
  world.greet();
  EXPECT_EQ(mail().substr(0, 16), "550 5.7.1 never ");
  EXPECT_NE(world.log.find("check=b"), "");
}

TEST_F(ChecksTest, ScoresAreSummedAndHaveThresholds) {
  double first = 0;
  add("a").at(Stage::mail, [&](auto&) { return scored(first); });
  add("b").at(Stage::message, [](auto&) { return scored(4); });
  world.greet();
  EXPECT_EQ(mail(), "250 2.0.0 Stored\r\n");
  EXPECT_NE(stored().find("X-Sallyport-Verdict: clean; score=4.0; checks=b(4)\r\n"), std::string::npos) << stored();
  first = 1;
  EXPECT_EQ(mail(), "250 2.0.0 Stored\r\n");
  EXPECT_NE(stored().find("X-Sallyport-Verdict: tag; score=5.0; checks=a(1),b(4)\r\n"), std::string::npos) << stored();
  first = 11;
  EXPECT_EQ(mail().substr(0, 10), "550 5.7.1 ");
  EXPECT_NE(world.log.find("check=score"), "");
}

TEST_F(ChecksTest, AShadowIsRecordedAndChangesNothing) {
  add("a").at(Stage::message, [](auto&) { return Verdict::reject("5.7.1", "never"); });
  world.settings.policy.edit(test_sections[0]).mode = policies::Mode::shadow;
  world.greet();
  EXPECT_EQ(mail(), "250 2.0.0 Stored\r\n");
  EXPECT_NE(stored().find("checks=~a\r\n"), std::string::npos) << stored();
}

TEST_F(ChecksTest, AcceptTakesOutTheChecksItNamesAndNoOthers) {
  add("lists").at(Stage::message, [](auto&) { return Verdict::reject("5.7.1", "Listed"); });
  add("helo").at(Stage::message, [](auto&) { return Verdict::tempfail("4.7.1", "Odd name"); });
  add("rules").at(Stage::message, [](auto&) { return accept({"lists"}); });
  world.greet();
  EXPECT_EQ(mail().substr(0, 19), "451 4.7.1 Odd name ");
}

TEST_F(ChecksTest, OfARecipientsVerdictsTheOneThatIsLeftCounts) {
  add("lists").at(Stage::rcpt, [](auto&) { return Verdict::reject("5.7.1", "Listed"); });
  add("helo").at(Stage::rcpt, [](auto&) { return Verdict::tempfail("4.7.1", "Odd name"); });
  add("rules").at(Stage::rcpt, [](auto&) { return accept({"lists"}); });
  world.greet();
  std::string heard = world.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
  EXPECT_EQ(heard.substr(14, 19), "451 4.7.1 Odd name ");
}

TEST_F(ChecksTest, AcceptWithoutNamesTakesOutAll) {
  add("a").at(Stage::mail, [](auto&) { return scored(100); });
  add("rules").at(Stage::message, [](auto&) { return accept({}); });
  world.greet();
  EXPECT_EQ(mail(), "250 2.0.0 Stored\r\n");
}

TEST_F(ChecksTest, TagsAddFieldsAndASubjectPrefix) {
  add("rules").at(Stage::message, [](auto&) {
    Verdict verdict = does(Action::tag);
    verdict.add_headers = {{"X-Spam", "yes"}};
    verdict.subject_prefix = "[spam] ";
    return verdict;
  });
  world.greet();
  EXPECT_EQ(mail("From: a@b.example\r\nSubject: hello\r\nTo: x@example.com\r\n\r\nbody\r\n"), "250 2.0.0 Stored\r\n");
  EXPECT_NE(stored().find("X-Spam: yes\r\n"), std::string::npos) << stored();
  EXPECT_TRUE(stored().ends_with("From: a@b.example\r\nSubject: [spam] hello\r\nTo: x@example.com\r\n\r\nbody\r\n"))
      << stored();
  EXPECT_NE(world.log.find("verdict=tag"), "");
}

TEST_F(ChecksTest, DiscardIsSaidToBeAcceptedAfterItIsInTheLog) {
  add("rules").at(Stage::message, [](auto&) { return does(Action::discard); });
  world.greet();
  EXPECT_EQ(mail().substr(0, 16), "250 2.0.0 Ok (id");
  EXPECT_EQ(world.upstream.stored.size(), 0u);
  EXPECT_NE(world.log.find("verdict=discard"), "");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n").substr(0, 9), "503 5.5.1");
}

TEST_F(ChecksTest, DropSaysNothing) {
  add("rules").at(Stage::message, [](auto&) { return does(Action::drop); });
  world.greet();
  EXPECT_EQ(mail(), "");
  EXPECT_TRUE(world.is_over());
  EXPECT_NE(world.log.find("verdict=drop"), "");
}

// S22: what one recipient's rule wants must not happen to the others' mail.
TEST_F(ChecksTest, RecipientsOfDifferentFateComeSeparately) {
  for (Action action : {Action::discard, Action::accept}) {
    World world;
    auto policy = std::make_unique<Scripted>("rules");
    policy->at(Stage::rcpt,
               [action](const Transaction& mail) { return mail.rcpt->local == "trap" ? does(action) : nothing(); });
    world.add(std::move(policy));
    world.greet();
    world.say("MAIL FROM:<ann@example.org>\r\n");
    EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n");
    EXPECT_EQ(world.say("RCPT TO:<trap@example.com>\r\n").substr(0, 10), "452 4.5.3 ");
    EXPECT_EQ(world.say("RCPT TO:<eve@example.com>\r\n"), "250 2.1.5 Ok\r\n");
    world.say("DATA\r\n");
    EXPECT_EQ(world.say("hello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
    EXPECT_EQ(world.counters.get(Violation::split_route), 1u);

    world.say("MAIL FROM:<ann@example.org>\r\n");
    EXPECT_EQ(world.say("RCPT TO:<trap@example.com>\r\n"), "250 2.1.5 Ok\r\n");
    EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n").substr(0, 10), "452 4.5.3 ");
  }
}

TEST_F(ChecksTest, AVerdictOnARecipientThatTheUpstreamRefusedIsForgotten) {
  add("rules").at(Stage::rcpt, [](const Transaction& mail) {
    return mail.rcpt->local == "trap" ? does(Action::discard) : nothing();
  });
  world.upstream.queued["RCPT"] = {"550 5.1.1 no such user\r\n"};
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\n");
  EXPECT_EQ(world.say("RCPT TO:<trap@example.com>\r\n"), "550 5.1.1 no such user\r\n");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n");
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("hello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
}

// I4: EHLO in the middle of a mail ends it, even when the greeting itself is refused.
TEST_F(ChecksTest, ARefusedGreetingEndsTheMailAllTheSame) {
  add("helo").at(Stage::helo, [](const Transaction& mail) {
    return mail.client.helo == "bad.example" ? Verdict::reject("5.7.1", "Not you") : nothing();
  });
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
  EXPECT_EQ(world.say("EHLO bad.example\r\n").substr(0, 4), "550 ");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n").substr(0, 9), "503 5.5.1");
  EXPECT_EQ(world.say("DATA\r\n").substr(0, 9), "503 5.5.1");
}

TEST_F(ChecksTest, ARefusedGreetingLeavesTheOneBeforeItAsItWas) {
  add("helo").at(Stage::helo, [](const Transaction& mail) {
    return mail.client.helo == "bad.example" ? Verdict::reject("5.7.1", "Not you") : nothing();
  });
  world.greet();
  EXPECT_EQ(world.say("EHLO bad.example\r\n").substr(0, 4), "550 ");
  EXPECT_EQ(mail(), "250 2.0.0 Stored\r\n");
}

TEST_F(ChecksTest, ANewGreetingIsJudgedAnew) {
  add("helo").at(Stage::helo, [](const Transaction& mail) { return scored(mail.client.helo == "odd" ? 20 : 0); });
  world.connect();
  world.heard();
  world.say("EHLO odd\r\n");
  world.say("EHLO client.example\r\n");
  EXPECT_EQ(mail(), "250 2.0.0 Stored\r\n");
}

TEST_F(ChecksTest, WhoDoesNotWaitForTheGreetingsAnswerIsNoticed) {
  add("helo").waits_at(Stage::helo, std::chrono::seconds(1));
  world.connect();
  world.heard();
  world.say("EHLO client.example\r\n");
  world.say("MAIL FROM:<ann@example.org>\r\n");
  world.advance(std::chrono::seconds(2));
  EXPECT_EQ(world.heard().substr(0, 10), "554 5.5.0 ");
  EXPECT_EQ(world.counters.get(Violation::sync), 1u);
}

TEST_F(ChecksTest, AnObserverSeesTheBodyAsItIsSent) {
  std::string body;
  add("hash").watches(body);
  world.greet();
  for (std::size_t piece : {1, 7, 4096}) {
    body.clear();
    world.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
    world.say("DATA\r\n");
    std::string content = "Subject: x\r\n\r\none\ntwo\rthree\r\n..dot\r\n" + std::string(3000, 'x') + "\r\n\r\n.\r\n";
    for (std::size_t at = 0; at < content.size(); at += piece) world.say(content.substr(at, piece));
    EXPECT_EQ(body, "one\r\ntwo three\r\n.dot\r\n" + std::string(3000, 'x') + "\r\n\r\n|!");
    std::string sent = stored();
    EXPECT_EQ(sent.substr(sent.find("\r\n\r\n") + 4) + "|!", body);
  }
}

TEST_F(ChecksTest, AMistakeOfOursEndsItsSessionAndNoOther) {
  world.excuse(Invariant::no_mistake);  // there is one on purpose
  add("broken").at(Stage::mail, [](const Transaction& mail) {
    ensure(mail.from->local != "evil", "a policy broke");
    return nothing();
  });
  world.greet();
  auto other_client = std::move(world.client);
  auto other_session = std::move(world.session);
  world.greet();
  EXPECT_EQ(world.say("MAIL FROM:<evil@example.org>\r\n"),
            "421 4.3.0 mx.example.com Internal error, closing connection\r\n");
  EXPECT_EQ(world.session, nullptr) << "it is over";
  EXPECT_EQ(world.counters.get(Fault::internal), 1u);
  EXPECT_NE(world.log.find("check=internal"), "");
  other_client->send("MAIL FROM:<ann@example.org>\r\n");
  world.loop.run();
  EXPECT_EQ(other_client->received(), "250 2.1.0 Ok\r\n");
  other_client->send("QUIT\r\n");
  world.loop.run();
}

}  // namespace
}  // namespace sallyport::checks
