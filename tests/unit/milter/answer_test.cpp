// Answers on the wire and back.
#include "gateway/milter/answer.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::milter {
namespace {

using namespace std::string_literals;

std::string wire(const Answer& answer) {
  std::string out;
  encode(out, answer);
  return out;
}

std::optional<Answer> decode(char letter, std::string_view data) { return decode_answer({letter, data}); }

void expect_round_trip(const Answer& answer) {
  const std::string octets = wire(answer);
  const auto decoded = decode_answer({octets[4], std::string_view(octets).substr(5)});
  ASSERT_TRUE(decoded) << octets[4];
  EXPECT_EQ(decoded->index(), answer.index());
  EXPECT_EQ(wire(*decoded), octets);
}

TEST(Answers, SurviveTheWire) {
  expect_round_trip(Negotiated{{6, action::all, option::silent_header}, {{MacroStage::rcpt, "{rcpt_addr} i"}}});
  for (const Word word : {Word::go_on, Word::accept, Word::discard, Word::reject, Word::tempfail, Word::skip,
                          Word::progress, Word::shutdown, Word::connection_failed})
    expect_round_trip(word);
  expect_round_trip(ReplyText{"550 5.7.1 no"});
  expect_round_trip(AddRcpt{"<a@b>", {}});
  expect_round_trip(AddRcpt{"<a@b>", "NOTIFY=NEVER"});
  expect_round_trip(DeleteRcpt{"<a@b>"});
  expect_round_trip(ChangeSender{"<a@b>", {}});
  expect_round_trip(ChangeSender{"<>", "A=B"});
  expect_round_trip(AddHeader{"X-A", "v"});
  expect_round_trip(InsertHeader{0, "X-A", "one\n\ttwo"});
  expect_round_trip(ChangeHeader{7, "Subject", ""});
  expect_round_trip(ReplaceBody{"\0body"s});
  expect_round_trip(ReplaceBody{""});
  expect_round_trip(Quarantine{"why"});
}

TEST(Answers, AreAsTheLibraryHasThem) {
  EXPECT_EQ(wire(ChangeHeader{1, "Subject", ""}), "\0\0\0\x0em\0\0\0\x01Subject\0\0"s);
  EXPECT_EQ(wire(ChangeSender{"<z@x>", "A=B"}), "\0\0\0\x0b"s + "e<z@x>\0A=B\0"s);
  EXPECT_EQ(wire(Negotiated{{6, 0x1ff, 0x80}, {{MacroStage::rcpt, "{rcpt_addr} i"}}}),
            "\0\0\0\x1fO\0\0\0\x06\0\0\x01\xff\0\0\0\x80\0\0\0\x03{rcpt_addr} i\0"s);
}

TEST(Answers, ThatDoNotFitAreNone) {
  const std::pair<char, std::string> broken[] = {
      {'x', ""},
      {'\0', ""},
      {'O', "\0\0\0\x06\0\0\0\0\0\0\0"s},
      {'O', "\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0\x07j\0"s},  // of no stage
      {'O', "\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0\x01j"s},    // its list does not end
      {'c', "x"},
      {'r', "\0"s},
      {'y', "550 no"},
      {'y', "550 no\0more"s},
      {'+', ""},
      {'+', "\0"s},
      {'+', "<a@b>"},
      {'+', "<a@b>\0NOTIFY=NEVER\0"s},  // not by this letter
      {'2', "<a@b>\0A=B"s},
      {'2', "<a@b>\0A=B\0C=D\0"s},
      {'-', "\0"s},
      {'e', "<a@b>\0A=B\0\0"s},
      {'h', "name\0"s},
      {'h', "\0value\0"s},
      {'i', "\0\0\0"s},
      {'m', "name\0"s},
      {'q', "why"},
  };
  for (const auto& [letter, data] : broken)
    EXPECT_FALSE(decode(letter, data)) << letter << " " << testing::PrintToString(data);
}

// threats.md F6.
TEST(Answers, NoFieldEndsItselfOrBeginsAnother) {
  for (const std::string& name : {"a b"s, "a:"s, "a\nb"s, "a\r"s, "\xc3\xa4"s, "\x7f"s}) {
    EXPECT_FALSE(decode('h', name + "\0value\0"s)) << testing::PrintToString(name);
    EXPECT_FALSE(decode('i', "\0\0\0\0"s + name + "\0value\0"s)) << testing::PrintToString(name);
    EXPECT_FALSE(decode('m', "\0\0\0\x01"s + name + "\0value\0"s)) << testing::PrintToString(name);
  }
  for (const std::string& value : {"a\r\nBcc: x"s, "a\nBcc: x"s, "a\n"s, "\n"s, "a\r"s, "a\n\n b"s, "a\r\n b"s})
    EXPECT_FALSE(decode('h', "name\0"s + value + "\0"s)) << testing::PrintToString(value);
  for (const std::string& value : {""s, "a\n b"s, "a\n\tb\n c"s, "\xc3\xa4"s, " leading"s})
    EXPECT_TRUE(decode('h', "name\0"s + value + "\0"s)) << testing::PrintToString(value);
}

TEST(Answers, NeedTheirActions) {
  EXPECT_EQ(action_of(AddHeader{"a", "b"}), action::add_headers);
  EXPECT_EQ(action_of(InsertHeader{0, "a", "b"}), action::add_headers);
  EXPECT_EQ(action_of(ChangeHeader{1, "a", ""}), action::change_headers);
  EXPECT_EQ(action_of(ReplaceBody{}), action::change_body);
  EXPECT_EQ(action_of(AddRcpt{"<a@b>", {}}), action::add_rcpt);
  EXPECT_EQ(action_of(AddRcpt{"<a@b>", "A=B"}), action::add_rcpt_with_parameters);
  EXPECT_EQ(action_of(DeleteRcpt{"<a@b>"}), action::delete_rcpt);
  EXPECT_EQ(action_of(ChangeSender{"<a@b>", {}}), action::change_sender);
  EXPECT_EQ(action_of(Quarantine{"why"}), action::quarantine);
  EXPECT_EQ(action_of(Word::reject), 0u);
}

}  // namespace
}  // namespace sallyport::milter
