// Each recipient that is refused has a record of its own, whoever refuses it and for whatever reason (contract.md,
// section 6): the id in a reply leads to a line with that recipient and that reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/text.h"
#include "tests/unit/session/world.h"

namespace sallyport::record {
namespace {

using namespace session;

using policies::Stage;
using policies::Verdict;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

// Refuses the recipients of that name, and drops the connection at others.
class Doorkeeper final : public TestPolicy {
 public:
  std::string_view name() const override { return "door"; }
  void judge(Stage stage, const policies::Transaction& mail, const policies::Facts&,
             policies::Verdicts& out) const override {
    if (stage != Stage::rcpt) return;
    Verdict verdict;
    if (mail.rcpt->local == "carl") verdict = Verdict::reject("5.7.1", "Carl reads no mail", 553);
    if (mail.rcpt->local == "trap") verdict.action = policies::Action::discard;
    if (mail.rcpt->local == "abyss") verdict.action = policies::Action::drop;
    if (verdict.action == policies::Action::none) return;
    verdict.rule = "NO_" + text::to_upper(mail.rcpt->local);
    verdict.because = "it is " + mail.rcpt->local;
    out.add(std::move(verdict));
  }
};

class RefusedRecipients : public testing::Test {
 protected:
  void begin() {
    world.greet();
    world.say("MAIL FROM:<ann@example.org>\r\n");
  }
  std::string rcpt(const std::string& to) { return world.say("RCPT TO:<" + to + ">\r\n"); }
  // The only line about a recipient; without one, an empty one.
  LoggedEvent line() const {
    LoggedEvent found;
    std::size_t lines = 0;
    for (const LoggedEvent& event : world.log.events) {
      if (event.event != "recipient") continue;
      found = event;
      ++lines;
    }
    EXPECT_EQ(lines, 1u);
    return found;
  }
  // "550 5.7.1 recipients": code, enhanced code and what decided.
  static std::string reason(const LoggedEvent& line) {
    std::string words(line.field("code"));
    words.append(" ").append(line.field("dsn")).append(" ").append(line.field("check"));
    if (!line.field("rule").empty()) words.append(" ").append(line.field("rule"));
    return words;
  }
  // What is the same in all of them.
  void expect_line(const std::string& to, const std::string& reply, const std::string& reason_wanted) const {
    const LoggedEvent found = line();
    EXPECT_EQ(found.field("to"), to);
    EXPECT_EQ(found.field("from"), "ann@example.org");
    EXPECT_EQ(found.field("stage"), "rcpt");
    EXPECT_EQ(reason(found), reason_wanted);
    EXPECT_EQ(std::string(found.field("reply")) + "\r\n", reply);
    if (reply.find("(id ") != std::string::npos) {
      EXPECT_NE(reply.find(std::string(found.field("id"))), std::string::npos) << reply;
    }
    for (const LoggedEvent& event : world.log.events) {
      EXPECT_NE(event.event, "violation") << "it stands in the recipient's line";
      EXPECT_NE(event.event, "fault") << "it stands in the recipient's line";
    }
  }

  World world;
};

TEST_F(RefusedRecipients, WhoIsNobodysHere) {
  begin();
  expect_line("x@elsewhere.example", rcpt("x@elsewhere.example"), "550 5.7.1 recipients");
  EXPECT_EQ(line().field("because"), "no tenant serves elsewhere.example");
  EXPECT_EQ(line().field("verdict"), "reject");
  EXPECT_EQ(world.counters.get(Total::recipients_refused), 1u);
}

TEST_F(RefusedRecipients, WhomTheServerBehindRefuses) {
  world.upstream.replies["RCPT"] = "551 5.1.1 Moved away\r\n";
  begin();
  expect_line("ghost@example.com", rcpt("ghost@example.com"), "551 5.1.1 upstream");
  EXPECT_EQ(line().field("upstream"), "10.0.0.5:25");
}

TEST_F(RefusedRecipients, WhomACheckRefuses) {
  world.add(std::make_unique<Doorkeeper>());
  begin();
  expect_line("carl@example.com", rcpt("carl@example.com"), "553 5.7.1 door NO_CARL");
  EXPECT_EQ(line().field("because"), "it is carl");
  EXPECT_EQ(line().field("symbols"), "door:NO_CARL");
}

TEST_F(RefusedRecipients, WhoseMailWouldBecomeSomethingElse) {
  world.add(std::make_unique<Doorkeeper>());
  begin();
  EXPECT_THAT(rcpt("bob@example.com"), StartsWith("250 "));
  expect_line("trap@example.com", rcpt("trap@example.com"), "452 4.5.3 split_route");
  EXPECT_EQ(world.counters.get(Violation::split_route), 1u);
}

TEST_F(RefusedRecipients, WhoIsAnotherTenants) {
  world.add_tenant("other", "other.example", "default");
  begin();
  EXPECT_THAT(rcpt("bob@example.com"), StartsWith("250 "));
  expect_line("eve@other.example", rcpt("eve@other.example"), "452 4.5.3 split_route");
  EXPECT_EQ(line().field("tenant"), "other");
  EXPECT_EQ(line().field("because"), "tenant other, after recipients of tenant default");
  EXPECT_EQ(line().field("verdict"), "tempfail");
}

TEST_F(RefusedRecipients, WhoIsOneTooMany) {
  world.settings.limits.recipients = 1;
  begin();
  EXPECT_THAT(rcpt("bob@example.com"), StartsWith("250 "));
  expect_line("eve@example.com", rcpt("eve@example.com"), "452 4.5.3 rcpt_limit");
}

TEST_F(RefusedRecipients, WhoIsFarTooMany) {
  world.settings.limits.recipients = 1;
  begin();
  rcpt("bob@example.com");
  rcpt("eve@example.com");
  EXPECT_THAT(rcpt("kim@example.com"), StartsWith("421 4.7.0 "));
  EXPECT_TRUE(world.is_over());
  const LoggedEvent& last = *std::find_if(
      world.log.events.begin(), world.log.events.end(),
      [](const LoggedEvent& event) { return event.event == "recipient" && event.field("to") == "kim@example.com"; });
  EXPECT_EQ(reason(last), "421 4.7.0 rcpt_limit");
  EXPECT_EQ(world.counters.get(Violation::rcpt_limit), 2u);
}

TEST_F(RefusedRecipients, WhoseAddressIsALiteral) {
  begin();
  expect_line("bob@[192.0.2.9]", rcpt("bob@[192.0.2.9]"), "550 5.1.2 syntax");
}

TEST_F(RefusedRecipients, WhoseAddressIsARoute) {
  begin();
  expect_line("a%b.example@example.com", rcpt("a%b.example@example.com"), "550 5.7.1 routed_address");
}

TEST_F(RefusedRecipients, WhenNobodyAnswersBehind) {
  world.dialer.fail(first_server, io::Error::refused);
  begin();
  expect_line("bob@example.com", rcpt("bob@example.com"), "451 4.4.1 upstream_down");
  EXPECT_EQ(line().field("detail"), "no upstream server is up");
  EXPECT_EQ(world.counters.get(Fault::upstream_down), 1u);
}

// Once a transaction is lost, the same failure is the answer to all: counted once, and named as such once.
TEST_F(RefusedRecipients, WhenTheTransactionIsLost) {
  begin();
  EXPECT_THAT(rcpt("bob@example.com"), StartsWith("250 "));
  world.upstream.queued["RCPT"] = {"close"};
  EXPECT_THAT(rcpt("eve@example.com"), StartsWith("451 4.4.1 "));
  EXPECT_THAT(rcpt("kim@example.com"), StartsWith("451 4.4.1 "));
  std::vector<std::string> reasons;
  for (const LoggedEvent& event : world.log.events) {
    if (event.event == "recipient") reasons.push_back(std::string(event.field("to")) + " " + reason(event));
  }
  EXPECT_THAT(reasons, ElementsAre("eve@example.com 451 4.4.1 upstream_down",
                                   "kim@example.com 451 4.4.1 upstream upstream_down"));
  EXPECT_EQ(world.counters.get(Fault::upstream_down), 1u);
}

TEST_F(RefusedRecipients, WhenTheConnectionIsDropped) {
  world.add(std::make_unique<Doorkeeper>());
  begin();
  EXPECT_EQ(rcpt("abyss@example.com"), "");
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(line().field("verdict"), "drop");
  EXPECT_EQ(reason(line()), "0  door NO_ABYSS");
  EXPECT_EQ(line().field("reply"), "");
}

// S11
TEST_F(RefusedRecipients, WhoseServerTakesNoInternationalizedMail) {
  world.upstream.queued["EHLO"] = {world.upstream.replies["EHLO"]};  // as the probe sees it
  world.upstream.replies["EHLO"] = "250-upstream.example\r\n250 PIPELINING\r\n";
  world.greet();
  world.say("MAIL FROM:<ann@example.org> SMTPUTF8\r\n");
  world.upstream.queued["MAIL"] = {"close"};
  const std::string reply = rcpt("bob@example.com");
  ASSERT_THAT(reply, StartsWith("550 5.6.7 "));
  expect_line("bob@example.com", reply, "550 5.6.7 nonascii");
}

// What is no address is nobody's: its command is refused, and no recipient.
TEST_F(RefusedRecipients, AreNotThoseThatAreNone) {
  begin();
  EXPECT_THAT(rcpt("bob@"), StartsWith("501 "));
  EXPECT_THAT(world.say("RCPT TO:<bob@example.com> UNHEARD=OF\r\n"), StartsWith("555 "));
  EXPECT_EQ(world.log.find("event=recipient"), "");
  EXPECT_EQ(world.log.count({"event=violation", "kind=syntax"}), 2u);
}

// The mail's own line says what became of it, and of the recipients who were accepted.
TEST_F(RefusedRecipients, LeaveTheOthersMailAlone) {
  world.add(std::make_unique<Doorkeeper>());
  begin();
  EXPECT_THAT(rcpt("carl@example.com"), StartsWith("553 "));
  EXPECT_THAT(rcpt("bob@example.com"), StartsWith("250 "));
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("hello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  ASSERT_EQ(world.records.all.size(), 2u);
  const MailRecord& recipient = world.records.all[0];
  EXPECT_EQ(recipient.subject, Subject::recipient);
  EXPECT_EQ(recipient.check, "door");
  ASSERT_EQ(recipient.verdicts.size(), 1u);
  const MailRecord& mail = world.records.all[1];
  EXPECT_EQ(mail.subject, Subject::transaction);
  EXPECT_EQ(mail.outcome, Outcome::relay);
  EXPECT_EQ(mail.check, "");
  EXPECT_THAT(mail.verdicts, IsEmpty()) << "what was said of Carl is not said of Bob";
  EXPECT_EQ(mail.transaction.rcpts.size(), 1u);
  EXPECT_EQ(mail.transaction.message, nullptr);
  EXPECT_EQ(mail.configuration, "configuration 1");
  EXPECT_EQ(world.log.find("event=transaction").find("carl"), std::string::npos);
}

// What was found of a refused recipient is not told of a mail that ended for another reason.
TEST_F(RefusedRecipients, AreForgottenByAMailThatEndsOtherwise) {
  world.add(std::make_unique<Doorkeeper>());
  begin();
  rcpt("carl@example.com");
  rcpt("x@elsewhere.example");
  world.say("QUIT\r\n");
  const MailRecord& mail = world.records.all.back();
  EXPECT_EQ(mail.check, "recipients");
  EXPECT_THAT(mail.verdicts, IsEmpty());
}

// Without any recipient the mail was refused as the last of them was.
TEST_F(RefusedRecipients, AreWhatTheMailWasRefusedFor) {
  world.add(std::make_unique<Doorkeeper>());
  begin();
  rcpt("x@elsewhere.example");
  rcpt("carl@example.com");
  world.say("QUIT\r\n");
  const std::string line = world.log.find("event=transaction");
  EXPECT_NE(line.find("verdict=reject stage=rcpt code=553 dsn=5.7.1 check=door rule=NO_CARL because=\"it is carl\""),
            std::string::npos)
      << line;
  EXPECT_NE(line.find("to=<carl@example.com> nrcpt=0"), std::string::npos) << line;
  EXPECT_NE(line.find("symbols=door:NO_CARL "), std::string::npos) << line;
  EXPECT_EQ(world.counters.get(Total::rejected), 1u);
  EXPECT_EQ(world.counters.get(Total::recipients_refused), 2u);
}

}  // namespace
}  // namespace sallyport::record
