// The MTA's side of a milter connection: what it sends, what it takes, and what it never takes.
#include "gateway/milter/mta_dialogue.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::milter {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using Kind = Outcome::Kind;

constexpr Terms everything{6, action::all, option::all};

// The letters of the packets in these octets.
std::string letters(std::string_view octets) {
  std::string found;
  PacketReader reader;
  while (!octets.empty() && reader.read(octets) == PacketReader::Status::packet) found += reader.packet().letter;
  return found;
}

class MtaDialogues : public testing::Test {
 protected:
  explicit MtaDialogues(const Terms& offered = everything) : mta(offered) {}

  Result<std::optional<Outcome>, Breach> answer(const Answer& answer) {
    std::string octets;
    encode(octets, answer);
    return mta.take({octets[4], std::string_view(octets).substr(5)});
  }
  void agree_on(std::uint32_t actions, std::uint32_t options, std::uint32_t version = 6) {
    EXPECT_EQ(letters(mta.open()), "O");
    EXPECT_TRUE(mta.awaits_answer());
    const auto outcome = answer(Negotiated{{version, actions, options}, {}});
    ASSERT_TRUE(outcome && *outcome);
  }
  // The event gets this answer, and that is its outcome.
  void expect(const Command& command, const Answer& given, Kind kind) {
    EXPECT_NE(mta.next_event(command), "");
    ASSERT_TRUE(mta.awaits_answer());
    const auto outcome = answer(given);
    ASSERT_TRUE(outcome && *outcome);
    EXPECT_EQ((*outcome)->kind, kind);
    EXPECT_FALSE(mta.awaits_answer());
  }
  void go_on(const Command& command) { expect(command, Word::go_on, Kind::go_on); }
  void up_to_the_end() {
    go_on(connect);
    go_on(Helo{"client.example"});
    go_on(mail);
    go_on(rcpt);
    go_on(Data{});
    go_on(Header{"Subject", "hello"});
    go_on(EndOfHeader{});
    go_on(Body{"hello\r\n"});
    EXPECT_EQ(letters(mta.next_event(EndOfMessage{})), "E");
  }

  const Connect connect{"client.example", SocketAddress{*IpAddress::parse("192.0.2.1"), 4711}, {}};
  const Mail mail{"<ann@example.org>", {}};
  const Rcpt rcpt{"<bob@example.com>", {}};
  MtaDialogue mta;
};

TEST_F(MtaDialogues, GoThroughAMail) {
  agree_on(0, 0);
  up_to_the_end();
  const auto outcome = answer(Word::go_on);
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ(**outcome, Outcome{});
  EXPECT_TRUE(mta.changes().is_empty());
  EXPECT_EQ(mta.abort_message(), "");
  go_on(mail);  // and the next
  EXPECT_EQ(letters(mta.abort_message()), "A");
  EXPECT_EQ(letters(*mta.end_session()), "K");
  EXPECT_EQ(letters(MtaDialogue::quit()), "Q");
}

TEST_F(MtaDialogues, SendMacrosInFrontAlsoOfWhatIsDeclined) {
  agree_on(0, option::no_helo);
  EXPECT_TRUE(mta.would_answer(Verb::connect));
  EXPECT_EQ(letters(mta.next_event(connect, "j\0mx.example\0"sv)), "DC");
  ASSERT_TRUE(answer(Word::go_on));
  EXPECT_TRUE(mta.would_hear(Verb::helo));
  EXPECT_FALSE(mta.would_answer(Verb::helo));
  EXPECT_EQ(letters(mta.next_event(Helo{"x"}, "{tls_version}\0TLSv1.3\0"sv)), "D");
  EXPECT_FALSE(mta.awaits_answer());
}

TEST_F(MtaDialogues, LeaveOutWhatIsDeclined) {
  agree_on(0, option::no_connect | option::no_mail | option::no_headers | option::no_body);
  EXPECT_EQ(mta.next_event(connect), "");
  EXPECT_FALSE(mta.awaits_answer());
  go_on(Helo{"x"});
  EXPECT_EQ(mta.next_event(mail), "");
  go_on(rcpt);
  go_on(Data{});
  EXPECT_EQ(mta.next_event(Header{"a", "b"}), "");
  go_on(EndOfHeader{});
  EXPECT_EQ(mta.next_event(Body{"x"}), "");
  expect(EndOfMessage{}, Word::accept, Kind::accept);
}

TEST_F(MtaDialogues, WaitForNothingWhereSilenceWasAgreedOn) {
  agree_on(0, option::silent_header | option::silent_rcpt);
  go_on(mail);
  EXPECT_EQ(letters(mta.next_event(rcpt)), "R");
  EXPECT_FALSE(mta.awaits_answer());
  EXPECT_EQ(letters(mta.next_event(Header{"a", "b"})), "L");
  EXPECT_FALSE(mta.awaits_answer());
  EXPECT_EQ(answer(Word::go_on), (Result<std::optional<Outcome>, Breach>(Breach::out_of_phase)));
}

TEST_F(MtaDialogues, OfAnOldVersionHaveNoDataAndNoUnknown) {
  agree_on(0, 0, 2);
  go_on(connect);
  EXPECT_EQ(mta.next_event(Unknown{"HELP"}), "");
  go_on(mail);
  EXPECT_EQ(mta.next_event(Data{}), "");
  go_on(Header{"a", "b"});
  EXPECT_EQ(mta.abort_message().size(), 5u);
  EXPECT_FALSE(mta.end_session());
}

// threats.md F8.
TEST_F(MtaDialogues, AVerdictOnAMessageIsForgottenWithIt) {
  agree_on(0, 0);
  go_on(connect);
  for (const Word word : {Word::accept, Word::discard, Word::reject, Word::tempfail}) {
    EXPECT_NE(mta.next_event(mail), "");
    ASSERT_TRUE(answer(word));
    EXPECT_FALSE(mta.hears_of_message());
    EXPECT_EQ(mta.next_event(rcpt), "");
    EXPECT_EQ(mta.next_event(EndOfMessage{}), "");
    EXPECT_TRUE(mta.hears_of_connection());
  }
}

TEST_F(MtaDialogues, AVerdictOnTheConnectionIsForAll) {
  agree_on(0, 0);
  expect(connect, Word::accept, Kind::accept);
  EXPECT_FALSE(mta.hears_of_connection());
  EXPECT_EQ(mta.next_event(Helo{"x"}), "");
  EXPECT_EQ(mta.next_event(mail), "");
  ASSERT_TRUE(mta.end_session());
  go_on(connect);  // that of the next session
}

TEST_F(MtaDialogues, ARefusalOfOneRecipientIsForHimAlone) {
  agree_on(0, 0);
  go_on(mail);
  expect(rcpt, ReplyText{"550 5.1.1 no such user"}, Kind::reject);
  EXPECT_TRUE(mta.hears_of_message());
  expect(rcpt, Word::tempfail, Kind::tempfail);
  go_on(rcpt);
  expect(rcpt, Word::discard, Kind::discard);
  EXPECT_FALSE(mta.hears_of_message());
}

TEST_F(MtaDialogues, RefusalsHaveTheirWords) {
  agree_on(0, 0);
  EXPECT_NE(mta.next_event(mail), "");
  const auto outcome = answer(ReplyText{"451-4.7.1 wait\r\n451 4.7.1 a bit"});
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ(**outcome, (Outcome{Kind::tempfail, CustomReply{451, "4.7.1", {"wait", "a bit"}}}));
}

// threats.md F5.
TEST_F(MtaDialogues, AReplyThatIsNotFitIsATempfail) {
  agree_on(0, 0);
  for (const char* text : {"250 ok", "x", "550 a\rb", "550-a\r\n451 b"}) {
    EXPECT_NE(mta.next_event(mail), "");
    const auto outcome = answer(ReplyText{text});
    ASSERT_TRUE(outcome && *outcome);
    EXPECT_EQ(**outcome, Outcome{Kind::tempfail}) << text;
  }
}

TEST_F(MtaDialogues, NoMoreBodyIsSentThanIsWanted) {
  agree_on(0, option::skip);
  go_on(mail);
  go_on(Body{"one"});
  expect(Body{"two"}, Word::skip, Kind::go_on);
  EXPECT_EQ(mta.next_event(Body{"three"}), "");
  expect(EndOfMessage{}, Word::go_on, Kind::go_on);
  go_on(mail);
  go_on(Body{"of the next mail"});
}

TEST_F(MtaDialogues, ProgressIsNoAnswer) {
  agree_on(0, 0);
  up_to_the_end();
  for (int i = 0; i < 3; ++i) {
    const auto outcome = answer(Word::progress);
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(*outcome);
    EXPECT_TRUE(mta.was_progress());
    EXPECT_TRUE(mta.awaits_answer());
  }
  const auto outcome = answer(Word::go_on);
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_FALSE(mta.was_progress());
}

TEST_F(MtaDialogues, ChangesAreCollectedInTheirOrder) {
  agree_on(action::all, 0);
  up_to_the_end();
  for (const Answer& change : std::initializer_list<Answer>{
           AddHeader{"X-A", "v\n\tw"}, InsertHeader{0, "X-B", " w"}, ChangeHeader{1, "Subject", ""},
           ChangeSender{"<z@x>", "A=B"}, AddRcpt{"<q@x>", {}}, AddRcpt{"<r@x>", "N=1"}, DeleteRcpt{"<bob@example.com>"},
           Quarantine{"why"}, ReplaceBody{"one "}, ReplaceBody{"two"}}) {
    const auto outcome = answer(change);
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(*outcome);
  }
  ASSERT_TRUE(answer(Word::accept));
  const Changes changes = mta.take_changes();
  ASSERT_EQ(changes.header.size(), 3u);
  EXPECT_EQ(changes.header[0].field, (HeaderField{"X-A", " v\r\n\tw"}));
  EXPECT_EQ(changes.header[1].field, (HeaderField{"X-B", " w"}));
  EXPECT_TRUE(changes.header[2].removes);
  EXPECT_EQ(changes.sender, (EnvelopeRcpt{"<z@x>", "A=B"}));
  EXPECT_EQ(changes.added_rcpts, (std::vector<EnvelopeRcpt>{{"<q@x>", ""}, {"<r@x>", "N=1"}}));
  EXPECT_EQ(changes.deleted_rcpts, (std::vector<std::string>{"<bob@example.com>"}));
  EXPECT_EQ(changes.quarantine, "why");
  EXPECT_EQ(changes.body, "one two");
  EXPECT_TRUE(mta.changes().is_empty());
}

TEST_F(MtaDialogues, AnEmptyBodyIsABodyToo) {
  agree_on(action::all, 0);
  up_to_the_end();
  ASSERT_TRUE(answer(ReplaceBody{""}));
  ASSERT_TRUE(answer(Word::go_on));
  EXPECT_EQ(mta.changes().body, "");
}

TEST_F(MtaDialogues, ChangesOfOneMailAreNotThoseOfTheNext) {
  agree_on(action::all, 0);
  up_to_the_end();
  ASSERT_TRUE(answer(AddHeader{"X-A", "v"}));
  ASSERT_TRUE(answer(Word::go_on));
  go_on(mail);
  EXPECT_TRUE(mta.changes().is_empty());
}

// The first event, with what must not come as its answer, and how that is called.
struct Intruder {
  const char* why;
  Answer answer;
  Breach breach;
};

TEST_F(MtaDialogues, TakeNothingThatCannotCome) {
  const Intruder intruders[] = {
      {"terms", Negotiated{{6, 0, 0}, {}}, Breach::out_of_phase},
      {"a change before the end", AddHeader{"a", "b"}, Breach::out_of_phase},
      {"skip of a MAIL", Word::skip, Breach::out_of_phase},
      {"its own failure", Word::connection_failed, Breach::lost},
  };
  for (const Intruder& intruder : intruders) {
    SCOPED_TRACE(intruder.why);
    mta = MtaDialogue(everything);
    agree_on(action::all, option::skip);
    EXPECT_NE(mta.next_event(mail), "");
    const auto outcome = answer(intruder.answer);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error(), intruder.breach);
  }
}

TEST_F(MtaDialogues, NoConnectionIsDiscarded) {
  agree_on(0, 0);
  EXPECT_NE(mta.next_event(connect), "");
  const auto outcome = answer(Word::discard);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), Breach::out_of_phase);
}

// threats.md F2.
TEST_F(MtaDialogues, NoChangeWithoutItsAction) {
  const std::pair<Answer, std::uint32_t> changes[] = {
      {AddHeader{"a", "b"}, action::add_headers},
      {InsertHeader{0, "a", "b"}, action::add_headers},
      {ChangeHeader{1, "a", "b"}, action::change_headers},
      {ReplaceBody{"x"}, action::change_body},
      {AddRcpt{"<a@b>", {}}, action::add_rcpt},
      {AddRcpt{"<a@b>", "A=B"}, action::add_rcpt_with_parameters},
      {DeleteRcpt{"<a@b>"}, action::delete_rcpt},
      {ChangeSender{"<a@b>", {}}, action::change_sender},
      {Quarantine{"why"}, action::quarantine},
  };
  for (const auto& [change, needed] : changes) {
    for (const bool is_agreed : {true, false}) {
      mta = MtaDialogue(everything);
      agree_on(is_agreed ? needed : action::all & ~needed, 0);
      go_on(mail);
      EXPECT_NE(mta.next_event(EndOfMessage{}), "");
      const auto outcome = answer(change);
      EXPECT_EQ(outcome.ok(), is_agreed);
      if (!outcome) EXPECT_EQ(outcome.error(), Breach::not_negotiated);
    }
  }
}

TEST_F(MtaDialogues, SkipNeedsToBeAgreedOn) {
  agree_on(0, 0);
  go_on(mail);
  EXPECT_NE(mta.next_event(Body{"x"}), "");
  const auto outcome = answer(Word::skip);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), Breach::not_negotiated);
}

TEST_F(MtaDialogues, TheFirstAnswerIsTerms) {
  mta.open();
  const auto outcome = answer(Word::go_on);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), Breach::out_of_phase);
}

TEST_F(MtaDialogues, MacrosAreWantedByStage) {
  mta.open();
  ASSERT_TRUE(answer(Negotiated{{6, action::set_macro_list, 0}, {{MacroStage::rcpt, "{rcpt_addr} i"}}}));
  EXPECT_EQ(mta.wanted_macros(MacroStage::rcpt), "{rcpt_addr} i");
  EXPECT_EQ(mta.wanted_macros(MacroStage::mail), std::nullopt);
  MtaDialogue other(everything);
  mta = other;
  mta.open();
  const auto outcome = answer(Negotiated{{6, 0, 0}, {{MacroStage::rcpt, "i"}}});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), Breach::not_negotiated);
}

TEST_F(MtaDialogues, ABrokenPacketIsMalformed) {
  agree_on(0, 0);
  EXPECT_NE(mta.next_event(mail), "");
  const auto outcome = mta.take({'c', "x"});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), Breach::malformed);
}

}  // namespace
}  // namespace sallyport::milter
