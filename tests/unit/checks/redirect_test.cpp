// Mail that verdicts send to another upstream than its tenant's, change, or set aside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::checks {
namespace {

using namespace session;

using policies::Action;
using policies::Stage;
using policies::Transaction;
using policies::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// Gives, at one stage, the verdict that the test wants.
class Ruling final : public TestPolicy {
 public:
  using Rule = std::function<Verdict(const Transaction&)>;
  Ruling(Stage stage, Rule rule) : stage_(stage), rule_(std::move(rule)) {}
  std::string_view name() const override { return "rules"; }
  void judge(Stage stage, const Transaction& mail, const policies::Facts&, policies::Verdicts& out) const override {
    if (stage == stage_) out.add(rule_(mail));
  }

 private:
  Stage stage_;
  Rule rule_;
};

Verdict to(std::string upstream) {
  Verdict verdict;
  verdict.rule = "GO";
  verdict.redirect = std::move(upstream);
  return verdict;
}

class Redirects : public testing::Test {
 protected:
  Redirects() {
    world.add_upstream("archive", second_server);
    for (auto& [name, upstream] : world.settings.upstreams) {
      upstream.extensions.is_common = false;
      upstream.extensions.keywords = {"8BITMIME"};
    }
    world.dialer.serve(second_server, [this](std::unique_ptr<support::MemoryStream> stream) {
      return archive.serve(std::move(stream));
    });
  }
  void rule(Stage stage, Ruling::Rule rule) { world.add(std::make_unique<Ruling>(stage, std::move(rule))); }
  void always(Stage stage, std::string upstream) {
    rule(stage, [upstream](const Transaction&) { return to(upstream); });
  }
  std::string rcpt(const std::string& address) { return world.say("RCPT TO:<" + address + ">\r\n"); }
  std::string mail(std::vector<std::string> recipients, const std::string& parameters = "") {
    world.say("MAIL FROM:<ann@example.org>" + parameters + "\r\n");
    for (const std::string& one : recipients) rcpt(one);
    world.say("DATA\r\n");
    return world.say("Subject: x\r\n\r\nhello\r\n.\r\n");
  }
  static std::size_t count(const FakeUpstream& server, std::string_view verb) {
    return static_cast<std::size_t>(std::count_if(server.commands.begin(), server.commands.end(),
                                                  [verb](const std::string& one) { return one.starts_with(verb); }));
  }

  FakeUpstream archive;
  World world;
};

TEST_F(Redirects, AtRecipientAskOnlyTheOther) {
  always(Stage::rcpt, "archive");
  world.greet();
  EXPECT_EQ(mail({"bob@example.com", "kim@example.com"}), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(archive.stored.at(0).rcpts.size(), 2u);
  EXPECT_THAT(world.upstream.stored, IsEmpty());
  EXPECT_EQ(count(world.upstream, "MAIL"), 0u);
  EXPECT_EQ(world.records.all.back().transaction.route.upstream, "archive");
  EXPECT_EQ(world.log.count({"event=transaction", "verdict=relay", "upstream=10.0.0.6:25",
                             "changes=\"rules:GO redirect archive\""}),
            1u);
}

TEST_F(Redirects, AtMailAreThoseOfAllRecipients) {
  always(Stage::mail, "archive");
  world.greet();
  EXPECT_EQ(mail({"bob@example.com", "kim@example.com"}), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(archive.stored.at(0).rcpts.size(), 2u);
  EXPECT_EQ(count(world.upstream, "MAIL"), 0u);
}

// S22
TEST_F(Redirects, OfOneRecipientAreNotThoseOfAnother) {
  rule(Stage::rcpt, [](const Transaction& mail) { return to(mail.rcpt->local == "bob" ? "archive" : ""); });
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\n");
  EXPECT_EQ(rcpt("kim@example.com"), "250 2.1.5 Ok\r\n");
  EXPECT_THAT(rcpt("bob@example.com"), StartsWith("452 4.5.3 "));
  world.say("RSET\r\nMAIL FROM:<ann@example.org>\r\n");
  EXPECT_EQ(rcpt("bob@example.com"), "250 2.1.5 Ok\r\n");
  EXPECT_THAT(rcpt("kim@example.com"), StartsWith("452 4.5.3 "));
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("\r\nhello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(archive.stored.size(), 1u);
  EXPECT_THAT(world.upstream.stored, IsEmpty());
}

// A recipient who was refused binds nothing.
TEST_F(Redirects, OfARefusedRecipientAreForgotten) {
  archive.queued["RCPT"] = {"550 5.1.1 no such user\r\n"};
  rule(Stage::rcpt, [](const Transaction& mail) { return to(mail.rcpt->local == "bob" ? "archive" : ""); });
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\n");
  EXPECT_EQ(rcpt("bob@example.com"), "550 5.1.1 no such user\r\n");
  EXPECT_EQ(rcpt("kim@example.com"), "250 2.1.5 Ok\r\n");
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("\r\nhello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.upstream.stored.size(), 1u);
  EXPECT_EQ(world.records.all.back().transaction.route.upstream, "default");
}

TEST_F(Redirects, AtTheMessageOpenOneTransactionWithAllRecipients) {
  always(Stage::message, "archive");
  world.greet();
  EXPECT_EQ(mail({"bob@example.com", "kim@example.com"}, " BODY=8BITMIME"), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(archive.stored.at(0).rcpts.size(), 2u);
  EXPECT_THAT(archive.stored.at(0).mail, HasSubstr("BODY=8BITMIME"));
  EXPECT_THAT(world.upstream.stored, IsEmpty());
  EXPECT_EQ(count(world.upstream, "RSET"), 1u) << "the first server's transaction is undone";
  EXPECT_EQ(count(world.upstream, "DATA"), 0u);
  EXPECT_EQ(world.log.count({"event=transaction", "verdict=relay", "upstream=10.0.0.6:25"}), 1u);
  EXPECT_EQ(mail({"bob@example.com"}), "250 2.0.0 Stored\r\n") << "the next mail of the session";
}

// RFC 3461: what each recipient was asked for with goes with him.
TEST_F(Redirects, KeepWhatEachRecipientWasAskedForWith) {
  for (auto& [name, upstream] : world.settings.upstreams) upstream.extensions.keywords.push_back("DSN");
  always(Stage::message, "archive");
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\n");
  rcpt("bob@example.com");
  world.say("RCPT TO:<kim@example.com> NOTIFY=NEVER ORCPT=rfc822;k@example.com\r\n");
  rcpt("eve@example.com");
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("Subject: x\r\n\r\nhello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  EXPECT_THAT(archive.stored.at(0).rcpts,
              ElementsAre(Not(HasSubstr("NOTIFY")), HasSubstr("NOTIFY=NEVER ORCPT=rfc822;k@example.com"),
                          Not(HasSubstr("NOTIFY"))));
}

TEST_F(Redirects, AtTheMessageGiveOneAnswerForAll) {
  always(Stage::message, "archive");
  world.greet();
  const std::vector<std::string> two = {"bob@example.com", "kim@example.com"};
  archive.queued["RCPT"] = {"250 2.1.5 Ok\r\n", "550 5.1.1 no such user\r\n"};
  EXPECT_EQ(mail(two), "550 5.1.1 no such user\r\n");
  archive.queued["RCPT"] = {"550 5.1.1 no such user\r\n", "450 4.2.1 not now\r\n"};
  EXPECT_EQ(mail(two), "450 4.2.1 not now\r\n") << "for now, where they differ";
  archive.queued["RCPT"] = {"451 4.2.1 not now\r\n", "550 5.1.1 no such user\r\n"};
  EXPECT_EQ(mail(two), "451 4.2.1 not now\r\n");
  archive.queued["MAIL"] = {"550 5.7.1 not from you\r\n"};
  archive.queued["RCPT"] = {"503 5.5.1 no MAIL\r\n"};
  EXPECT_EQ(mail(two), "550 5.7.1 not from you\r\n");
  EXPECT_THAT(archive.stored, IsEmpty());
  EXPECT_THAT(world.upstream.stored, IsEmpty());
  EXPECT_EQ(
      world.log.count({"event=transaction", "verdict=reject", "check=upstream", "because=\"redirected to archive\""}),
      2u);
}

TEST_F(Redirects, WaitNoLongerThanAMailMay) {
  always(Stage::message, "archive");
  archive.replies["RCPT"] = "silence";
  world.settings.timeouts.final_reply = std::chrono::seconds(10);
  world.greet();
  EXPECT_EQ(mail({"bob@example.com"}), "");
  world.advance(std::chrono::seconds(11));
  EXPECT_THAT(world.heard(), StartsWith("451 4.4"));
  EXPECT_THAT(archive.stored, IsEmpty());
}

TEST_F(Redirects, TakeNoEightBitsToAServerWithoutThem) {
  always(Stage::message, "archive");
  archive.replies["EHLO"] = "250-archive.example\r\n250 PIPELINING\r\n";
  world.greet();
  world.say("MAIL FROM:<ann@example.org> BODY=8BITMIME\r\n");
  rcpt("bob@example.com");
  world.say("DATA\r\n");
  const std::string reply = world.say("Subject: x\r\n\r\n\xe4\r\n.\r\n");
  EXPECT_THAT(reply, StartsWith("554 5.6.3"));
  EXPECT_THAT(archive.stored, IsEmpty());
}

// S11
TEST_F(Redirects, TakeNoUtf8AddressesToAServerWithoutThem) {
  for (auto& [name, upstream] : world.settings.upstreams) upstream.extensions.keywords.push_back("SMTPUTF8");
  always(Stage::message, "archive");
  archive.replies["EHLO"] = "250-archive.example\r\n250-8BITMIME\r\n250 PIPELINING\r\n";
  world.greet();
  EXPECT_THAT(mail({"bob@example.com"}, " SMTPUTF8"), StartsWith("550 5.6.7 "));
  EXPECT_THAT(archive.stored, IsEmpty());
  EXPECT_THAT(world.upstream.stored, IsEmpty());
  EXPECT_EQ(world.log.count({"event=transaction", "verdict=reject", "because=\"redirected to archive\""}), 1u);
}

// I13: another tenant's servers are not this one's.
TEST_F(Redirects, ToAnotherTenantsUpstreamAreNotFollowed) {
  Stage stage = Stage::rcpt;
  world.add(std::make_unique<Ruling>(
      Stage::rcpt, [&stage](const Transaction&) { return stage == Stage::rcpt ? to("archive") : Verdict{}; }));
  always(Stage::message, "archive");
  world.add_tenant("acme", "acme.example", "archive");
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\n");
  EXPECT_THAT(rcpt("bob@example.com"), StartsWith("451 4.3.5 "));
  world.say("RSET\r\n");
  stage = Stage::message;
  EXPECT_THAT(mail({"bob@example.com"}), StartsWith("451 4.3.5 "));
  EXPECT_THAT(archive.stored, IsEmpty());
  EXPECT_THAT(world.upstream.stored, IsEmpty());
  EXPECT_EQ(mail({"eve@acme.example"}), "250 2.0.0 Stored\r\n") << "its own";
  EXPECT_EQ(archive.stored.size(), 1u);
}

TEST_F(Redirects, InShadowAreRecordedOnly) {
  rule(Stage::message, [](const Transaction&) {
    Verdict verdict = to("archive");
    verdict.shadow = true;
    return verdict;
  });
  world.greet();
  EXPECT_EQ(mail({"bob@example.com"}), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.upstream.stored.size(), 1u);
  EXPECT_EQ(world.log.count({"event=transaction", "shadow=\"rules:GO redirect archive\""}), 1u);
}

TEST_F(Redirects, OfAQuarantinedMailLeaveItsMark) {
  rule(Stage::message, [](const Transaction&) {
    Verdict verdict;
    verdict.action = Action::quarantine;
    verdict.rule = "ASIDE";
    verdict.because = "odd\r\nX-Evil: yes";
    return verdict;
  });
  world.greet();
  EXPECT_EQ(mail({"bob@example.com"}), "250 2.0.0 Stored\r\n");
  const std::string& stored = world.upstream.stored.at(0).content;
  EXPECT_THAT(stored, HasSubstr("X-Sallyport-Verdict: quarantine; score=0.0; checks=rules:ASIDE\r\n"
                                "X-Sallyport-Quarantine: odd??X-Evil: yes\r\n"));
  EXPECT_EQ(world.log.count({"event=transaction", "verdict=quarantine", "rule=ASIDE"}), 1u);
}

}  // namespace
}  // namespace sallyport::checks
