// What an MTA hears of a mail's checks, step by step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/milter_service/mta_world.h"

namespace sallyport::milter_service {
namespace {

using policies::Stage;
using policies::Transaction;
using policies::Verdict;
using policies::Verdicts;
using record::Outcome;
using testing::ElementsAre;
using testing::StartsWith;
using Answers = MtaWorld::Answers;

class MtaSessionTest : public testing::Test {
 protected:
  // At this stage, of every mail.
  void give(Stage when, Verdict verdict) {
    w.judge = [when, verdict](Stage stage, const Transaction&, Verdicts& out) {
      if (stage == when) out.add(verdict);
    };
  }
  static Verdict with(policies::Action action) {
    Verdict verdict;
    verdict.action = action;
    verdict.because = "a reason";
    return verdict;
  }
  static bool has(const Answers& answers, std::string_view beginning) {
    return std::any_of(answers.begin(), answers.end(),
                       [&](const std::string& one) { return one.starts_with(beginning); });
  }

  MtaWorld w;
};

std::string zero(std::string_view text) { return std::string(text) + '\0'; }

TEST_F(MtaSessionTest, AMailThatPassesGetsOurFieldsOnTop) {
  w.open();
  const Answers answers = w.whole();
  ASSERT_EQ(answers.size(), 3u);
  // The last one goes first, as each is put above all others.
  EXPECT_EQ(answers[0], "i" + std::string(4, '\0') + zero("X-Sallyport-Verdict") + zero(" clean; score=0.0; checks="));
  EXPECT_EQ(answers[1], "i" + std::string(4, '\0') + zero("X-Sallyport-Id") + zero(" " + w.last().transaction.id));
  EXPECT_EQ(answers[2], "a");
  EXPECT_EQ(w.last().outcome, Outcome::relay);
  EXPECT_EQ(w.last().protocol, "milter");
  EXPECT_EQ(w.last().size, std::string("Subject: hello\r\n\r\ntext\r\n").size());
  EXPECT_EQ(w.mails(), 1u);
  EXPECT_EQ(w.world.log.count({"event=transaction", "protocol=milter", "verdict=relay"}), 1u);
}

TEST_F(MtaSessionTest, ThePoliciesSeeTheMessage) {
  std::string seen;
  w.judge = [&](Stage stage, const Transaction& mail, Verdicts&) {
    if (stage != Stage::message) return;
    seen = mail.message->header_octets();
    auto body = mail.message->body();
    for (auto piece = body.next(); piece && !piece->empty(); piece = body.next()) seen += *piece;
  };
  w.open();
  w.begin();
  w.say(milter::Header{"Subject", " a\n\tb"});
  w.say(milter::Header{"X-Old", "\tx\r y\r\n z"});
  w.say(milter::Body{"one\r\n"});
  w.say(milter::Body{"two"});
  w.say(milter::EndOfMessage{" three\r\n"});
  EXPECT_EQ(seen, "Subject: a\r\n\tb\r\nX-Old:\tx\r y\r\n z\r\n\r\none\r\ntwo three\r\n");
}

TEST_F(MtaSessionTest, AnEmptyMailIsOne) {
  w.open();
  w.begin();
  EXPECT_TRUE(has(w.say(milter::EndOfMessage{}), "a"));
  EXPECT_EQ(w.last().size, 2u);
}

TEST_F(MtaSessionTest, TheClientIsAsTheMtaSays) {
  policies::Client client;
  w.judge = [&](Stage stage, const Transaction& mail, Verdicts&) {
    if (stage == Stage::mail) client = mail.client;
  };
  w.connect();
  w.offer();
  w.name_client("client.example", some_client);
  w.macros(
      milter::Verb::helo,
      {{"{tls_version}", "TLSv1.3"}, {"{cipher}", "TLS_AES"}, {"{cipher_bits}", "256"}, {"{cert_subject}", "CN=x"}});
  w.say(milter::Helo{"helo.example"});
  EXPECT_EQ(w.world.counters.get(Gauge::tls_sessions), 1);
  w.whole();
  EXPECT_EQ(client.ip, some_client.ip);
  EXPECT_EQ(client.port, 4711);
  EXPECT_EQ(client.rdns, "client.example");
  EXPECT_TRUE(client.fcrdns);
  EXPECT_EQ(client.helo, "helo.example");
  ASSERT_TRUE(client.tls);
  EXPECT_EQ(client.tls->version, "TLSv1.3");
  EXPECT_EQ(client.tls->bits, 256);
  EXPECT_EQ(client.tls->client_subject, "CN=x");
  EXPECT_FALSE(client.tls->client_is_verified);
}

TEST_F(MtaSessionTest, ARecipientIsRefusedAlone) {
  w.judge = [](Stage stage, const Transaction& mail, Verdicts& out) {
    if (stage == Stage::rcpt && mail.rcpt->local == "eve") out.add(Verdict::reject("5.1.1", "No 100% eve"));
  };
  w.open();
  w.mail();
  EXPECT_THAT(w.rcpt("<eve@example.com>"), ElementsAre(StartsWith("y550 5.1.1 No 100%% eve (id ")));
  EXPECT_EQ(w.rcpt("<bob@example.com>"), Answers{"c"});
  EXPECT_THAT(w.rcpt("<bob@elsewhere.example>"), ElementsAre(StartsWith("y550 5.7.1 Relaying denied (id ")));
  EXPECT_THAT(w.rcpt("<@@>"), ElementsAre(StartsWith("y501 5.1.3 ")));
  EXPECT_EQ(w.content().back(), "a");
  EXPECT_EQ(w.last().transaction.rcpts.size(), 1u);
  EXPECT_EQ(w.world.log.count({"event=recipient", "protocol=milter"}), 2u);
  EXPECT_EQ(w.world.counters.get(Total::recipients_refused), 2u);
  EXPECT_EQ(w.world.counters.get(Total::recipients_accepted), 1u);
}

TEST_F(MtaSessionTest, AMailWhoseRecipientsWereAllRefusedIsRecordedAsThat) {
  w.open();
  w.mail();
  w.rcpt("<bob@elsewhere.example>");
  w.say(milter::Abort{});
  EXPECT_EQ(w.last().outcome, Outcome::reject);
  EXPECT_EQ(w.last().check, "recipients");
  EXPECT_EQ(w.mails(), 1u);
}

TEST_F(MtaSessionTest, RefusalsAreSaidWhereTheyAreGiven) {
  const Verdict no = Verdict::reject("5.7.9", "No");
  give(Stage::mail, no);
  w.open();
  EXPECT_THAT(w.mail(), ElementsAre(StartsWith("y550 5.7.9 No (id ")));
  EXPECT_EQ(w.last().stage, Stage::mail);
  // What belongs to no mail is put off.
  EXPECT_EQ(w.rcpt(), Answers{"t"});
  EXPECT_EQ(w.say(milter::EndOfMessage{}), Answers{"t"});
  give(Stage::message, no);
  EXPECT_THAT(w.whole(), ElementsAre(StartsWith("y550 5.7.9 No (id ")));
  EXPECT_EQ(w.last().outcome, Outcome::reject);
  give(Stage::message, Verdict::tempfail("4.7.9", "Later"));
  EXPECT_THAT(w.whole(), ElementsAre(StartsWith("y451 4.7.9 Later (id ")));
  EXPECT_EQ(w.last().outcome, Outcome::tempfail);
  give(Stage::helo, no);
  EXPECT_THAT(w.say(milter::Helo{"other.example"}), ElementsAre(StartsWith("y550 5.7.9 No (id ")));
  EXPECT_EQ(w.last().subject, record::Subject::connection);
  w.judge = [](Stage, const Transaction&, Verdicts&) {};
  EXPECT_EQ(w.whole().back(), "a");
  EXPECT_EQ(w.last().transaction.client.helo, "client.example");
}

TEST_F(MtaSessionTest, ARefusedClientHearsTheSameToTheEndOfItsSession) {
  give(Stage::connect, Verdict::reject("5.7.1", "Not you"));
  w.connect();
  w.offer();
  const Answers answers = w.name_client();
  EXPECT_THAT(answers, ElementsAre(StartsWith("y550 5.7.1 Not you (id ")));
  EXPECT_EQ(w.say(milter::Helo{"x.example"}), answers);
  EXPECT_EQ(w.mail(), answers);
  EXPECT_EQ(w.world.log.count({"event=connection"}), 1u);
  // The next client of the same connection is another one.
  w.judge = [](Stage, const Transaction&, Verdicts&) {};
  w.say(milter::QuitAndReuse{});
  EXPECT_EQ(w.name_client(), Answers{"c"});
  EXPECT_EQ(w.whole().back(), "a");
}

TEST_F(MtaSessionTest, ADropIsAskedForAsSuch) {
  give(Stage::message, with(policies::Action::drop));
  w.open();
  EXPECT_EQ(w.whole(), Answers{"4"});
  EXPECT_EQ(w.last().outcome, Outcome::drop);
}

TEST_F(MtaSessionTest, ADiscardIsToldWhenItIsRecorded) {
  give(Stage::message, with(policies::Action::discard));
  w.open();
  EXPECT_EQ(w.whole(), Answers{"d"});
  EXPECT_EQ(w.last().outcome, Outcome::discard);
  EXPECT_EQ(w.world.counters.get(Total::discarded), 1u);
}

TEST_F(MtaSessionTest, ADiscardThatIsNotRecordedIsPutOff) {
  class Full final : public record::RecordSink {
   public:
    bool take(const record::MailRecord& record) noexcept override { return record.outcome != Outcome::discard; }
  } full;
  w.world.excuse(session::Invariant::recorded_once);  // the full sink counts nothing
  give(Stage::message, with(policies::Action::discard));
  w.world.start();
  w.world.host->sinks.insert(w.world.host->sinks.begin(), &full);
  w.open();
  EXPECT_THAT(w.whole(), ElementsAre(StartsWith("y451 4.3.0 The message could not be recorded")));
  EXPECT_EQ(w.last().outcome, Outcome::tempfail);
  EXPECT_EQ(w.mails(), 1u);
}

TEST_F(MtaSessionTest, AQuarantineIsAskedForWithItsReason) {
  give(Stage::message, with(policies::Action::quarantine));
  w.open();
  const Answers answers = w.whole();
  EXPECT_TRUE(has(answers, "q" + zero("a reason")));
  EXPECT_EQ(answers.back(), "a");
  EXPECT_EQ(w.last().outcome, Outcome::quarantine);
}

TEST_F(MtaSessionTest, WhatTheMtaCannotDoIsLeftOutAndToldOnce) {
  give(Stage::message, with(policies::Action::quarantine));
  for (int i = 0; i < 2; ++i) {
    w.connect();
    w.offer(6, milter::action::add_headers);
    w.name_client();
    const Answers answers = w.whole();
    EXPECT_TRUE(has(answers, "i"));
    EXPECT_FALSE(has(answers, "q"));
    EXPECT_EQ(answers.back(), "a");
    w.say(milter::Quit{});
  }
  EXPECT_EQ(w.world.log.count({"event=milter", "set mail aside"}), 1u);
  EXPECT_EQ(w.world.log.count({"event=milter", "change header fields"}), 1u);
  EXPECT_EQ(w.world.log.count({"event=milter"}), 2u);
}

TEST_F(MtaSessionTest, ARedirectIsPutOff) {
  Verdict elsewhere;
  elsewhere.redirect = "archive";
  elsewhere.rule = "THERE";
  give(Stage::message, elsewhere);
  w.open();
  EXPECT_THAT(w.whole(), ElementsAre(StartsWith("y451 4.3.5 Local policy cannot be followed")));
  EXPECT_EQ(w.last().check, "redirect");
  EXPECT_EQ(w.last().because, "redirected to archive");
  give(Stage::rcpt, elsewhere);
  w.mail();
  EXPECT_THAT(w.rcpt(), ElementsAre(StartsWith("y451 4.3.5 ")));
  elsewhere.redirect = "default";  // where it goes anyway
  give(Stage::rcpt, elsewhere);
  EXPECT_EQ(w.whole().back(), "a");
}

// Of milters that are asked in turn.
TEST_F(MtaSessionTest, ChangesOfTheHeaderByMiltersArePassedOnAndOthersPutTheMailOff) {
  Verdict filtered;
  filtered.rule = "FILTER";
  filtered.changes.emplace();
  filtered.changes->header = {{milter::HeaderChange::Kind::append, 0, {"X-Filter", " yes"}, false},
                              {milter::HeaderChange::Kind::change, 1, {"X-Old", ""}, true}};
  give(Stage::message, filtered);
  w.open();
  const Answers answers = w.whole({{"Subject", " x"}, {"X-Old", " 1"}});
  EXPECT_EQ(answers[0], "m" + std::string(3, '\0') + '\1' + zero("X-Old") + zero(""));
  EXPECT_EQ(answers[1], "h" + zero("X-Filter") + zero(" yes"));
  EXPECT_EQ(answers.back(), "a");
  filtered.changes->sender = milter::EnvelopeRcpt{"<other@example.org>", ""};
  give(Stage::message, filtered);
  EXPECT_THAT(w.whole(), ElementsAre(StartsWith("y451 4.3.5 Local policy cannot be followed")));
  EXPECT_EQ(w.last().check, "milters");
}

TEST_F(MtaSessionTest, RecipientsOfSeveralTenantsComeInMailsOfTheirOwn) {
  w.world.add_tenant("acme", "acme.example", "default");
  w.open();
  w.begin();
  EXPECT_THAT(w.rcpt("<eve@acme.example>"),
              ElementsAre(StartsWith("y452 4.5.3 Send the message to this recipient separately")));
  EXPECT_EQ(w.content().back(), "a");
  EXPECT_EQ(w.last().transaction.tenant.name, "default");
}

TEST_F(MtaSessionTest, UsersWhoHaveLoggedInAreNotJudged) {
  give(Stage::mail, Verdict::reject("5.7.1", "No"));
  w.open();
  w.macros(milter::Verb::mail, {{"{auth_authen}", "ann"}, {"{auth_type}", "PLAIN"}});
  EXPECT_EQ(w.mail(), Answers{"a"});
  EXPECT_EQ(w.last().check, "authenticated");
  EXPECT_EQ(w.last().because, "as ann by PLAIN");
  EXPECT_THAT(w.mail(), ElementsAre(StartsWith("y550")));  // the next mail is nobody's
}

TEST_F(MtaSessionTest, TrustedClientsMaySendMailToOthers) {
  give(Stage::message, Verdict::reject("5.7.1", "No"));
  w.world.settings.trusted.networks = {*IpNetwork::parse("192.0.2.0/24")};
  w.open();
  w.mail();
  EXPECT_EQ(w.rcpt("<x@elsewhere.example>"), Answers{"c"});
  EXPECT_EQ(w.content(), Answers{"a"});
  EXPECT_EQ(w.last().outcome, Outcome::relay);
  EXPECT_EQ(w.last().check, "recipients");
  // With one of ours among them it is judged.
  w.mail();
  EXPECT_EQ(w.rcpt("<x@elsewhere.example>"), Answers{"c"});
  EXPECT_EQ(w.rcpt("<bob@example.com>"), Answers{"c"});
  EXPECT_THAT(w.content(), ElementsAre(StartsWith("y550 5.7.1 No")));
}

// I4, F8.
TEST_F(MtaSessionTest, AVerdictLastsForItsMailOnly) {
  w.judge = [](Stage stage, const Transaction& mail, Verdicts& out) {
    if (mail.from && mail.from->local == "bad" && stage == Stage::message) out.add(Verdict::reject("5.7.1", "Bad"));
    if (mail.from && mail.from->local == "away" && stage == Stage::mail) {
      Verdict verdict;
      verdict.action = policies::Action::discard;
      out.add(verdict);
    }
  };
  w.open();
  const auto send = [this](std::string_view from) {
    EXPECT_EQ(w.mail(from), Answers{"c"});
    EXPECT_EQ(w.rcpt(), Answers{"c"});
    return w.content();
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(send("<bad@example.org>"), ElementsAre(StartsWith("y550 5.7.1 Bad")));
    EXPECT_EQ(send("<ann@example.org>").back(), "a");
    EXPECT_EQ(send("<away@example.org>"), Answers{"d"});
    EXPECT_EQ(send("<ann@example.org>").back(), "a");
  }
  EXPECT_EQ(w.mails(), 12u);
}

TEST_F(MtaSessionTest, AnAbortInEachPhaseLeavesNothing) {
  const std::vector<milter::Command> steps = {milter::Mail{"<ann@example.org>", {}},
                                              milter::Rcpt{"<bob@example.com>", {}},
                                              milter::Data{},
                                              milter::Header{"Subject", " away"},
                                              milter::EndOfHeader{},
                                              milter::Body{"some text\r\n"}};
  w.judge = [](Stage stage, const Transaction& mail, Verdicts& out) {
    if (stage == Stage::message && mail.message->header().find("Subject") != nullptr)
      out.add(Verdict::reject("5.7.1", "No"));
  };
  w.open();
  for (std::size_t phases = 1; phases <= steps.size(); ++phases) {
    for (std::size_t i = 0; i < phases; ++i) w.say(steps[i]);
    EXPECT_TRUE(w.say(milter::Abort{}).empty());
    EXPECT_EQ(w.last().check, "abandoned");
    EXPECT_EQ(w.whole({{"X-Other", " 1"}}).back(), "a") << phases;
    EXPECT_EQ(w.last().size, std::string("X-Other: 1\r\n\r\ntext\r\n").size());
  }
  EXPECT_EQ(w.mails(), 2 * steps.size());
}

TEST_F(MtaSessionTest, AConnectionServesClientAfterClient) {
  w.connect();
  w.offer();
  w.name_client("first.example", some_client);
  w.macros(milter::Verb::helo, {{"{tls_version}", "TLSv1.2"}});
  w.say(milter::Helo{"first.example"});
  w.begin();
  w.say(milter::QuitAndReuse{});
  EXPECT_EQ(w.last().check, "abandoned");
  EXPECT_EQ(w.world.counters.get(Gauge::tls_sessions), 0);
  w.name_client("[198.51.100.1]", *SocketAddress::parse("198.51.100.1:1"));
  w.whole();
  EXPECT_EQ(w.last().transaction.client.ip.to_string(), "198.51.100.1");
  EXPECT_EQ(w.last().transaction.client.rdns, "");
  EXPECT_EQ(w.last().transaction.client.helo, "");
  EXPECT_FALSE(w.last().transaction.client.tls);
  EXPECT_EQ(w.world.counters.get(Total::connections), 2u);
}

TEST_F(MtaSessionTest, TheMtaAndItsNameForTheMailAreInTheRecord) {
  w.connect();
  w.offer();
  w.macros(milter::Verb::connect, {{"j", "mta.example"}, {"{daemon_name}", "smtpd"}});
  w.name_client();
  w.begin();
  w.macros(milter::Verb::end_of_message, {{"i", "4QID"}});
  w.content();
  EXPECT_EQ(w.last().mta, "mta.example/smtpd");
  EXPECT_EQ(w.last().queue_id, "4QID");
  w.whole();
  EXPECT_EQ(w.last().queue_id, "");
}

TEST_F(MtaSessionTest, ContentThatIsUnfitIsRefusedAtItsEnd) {
  w.world.settings.limits.message_size = 2000;
  w.open();
  EXPECT_THAT(w.whole({{"Subject", " x"}}, std::string("a\0b\r\n", 5)),
              ElementsAre(StartsWith("y550 5.6.0 NUL octet")));
  EXPECT_EQ(w.last().check, "nul");
  EXPECT_THAT(w.whole({{"Subject", " x"}}, std::string(3000, 'x')),
              ElementsAre(StartsWith("y552 5.3.4 Message is too large")));
  EXPECT_EQ(w.world.counters.get(Violation::size), 1u);
  EXPECT_THAT(w.say(milter::Mail{"<ann@example.org>", {"SIZE=2001"}}), ElementsAre(StartsWith("y552 5.3.4 ")));
  EXPECT_EQ(w.say(milter::Mail{"<ann@example.org>", {"SIZE=2000", "X-UNKNOWN=1"}}), Answers{"c"});
  w.say(milter::Abort{});
  EXPECT_EQ(w.whole().back(), "a");
}

TEST_F(MtaSessionTest, ForgedFieldsAreRemovedByTheirNumber) {
  w.open();
  const Answers answers = w.whole({{"Received", " by x"},
                                   {"Authentication-Results", " other.example; spf=pass"},
                                   {"X-Sallyport-Verdict", " clean"},
                                   {"authentication-results", " mx.example.com; spf=pass"}});
  const auto change = [](std::uint8_t number, std::string_view name) {
    return "m" + std::string(3, '\0') + static_cast<char>(number) + zero(name) + zero("");
  };
  EXPECT_EQ(answers[0], change(2, "authentication-results"));
  EXPECT_EQ(answers[1], change(1, "X-Sallyport-Verdict"));
  EXPECT_EQ(w.world.counters.get(Violation::ar_removed), 1u);
}

TEST_F(MtaSessionTest, OldVersionsAreAnsweredStepByStep) {
  for (const std::uint32_t version : {2u, 3u, 4u}) {
    w.connect();
    EXPECT_THAT(w.offer(version, milter::action::before_version_6, 0x7f), ElementsAre(testing::SizeIs(13)));
    EXPECT_EQ(w.name_client(), Answers{"c"});
    EXPECT_EQ(w.say(milter::Helo{"c.example"}), Answers{"c"});
    w.begin();
    EXPECT_EQ(w.say(milter::Header{"Subject", "x"}), Answers{"c"});
    EXPECT_EQ(w.say(milter::EndOfHeader{}), Answers{"c"});
    EXPECT_EQ(w.say(milter::Body{"x\r\n"}), Answers{"c"});
    const Answers answers = w.say(milter::EndOfMessage{});
    EXPECT_EQ(answers.back(), "a");
    // Without the blank, which such an MTA puts there itself.
    EXPECT_TRUE(has(answers, "i" + std::string(4, '\0') + zero("X-Sallyport-Verdict") + "clean"));
    w.say(milter::Quit{});
    EXPECT_TRUE(w.is_over());
  }
}

}  // namespace
}  // namespace sallyport::milter_service
