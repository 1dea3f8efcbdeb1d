// Where the header section of a message ends, however it is cut.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "gateway/mail/message.h"
#include "tests/unit/mail/fake_spool.h"
#include "tests/unit/mail/reading.h"

namespace sallyport::mail {
namespace {

struct EndCase {
  const char* what;
  std::string octets;
  std::string header;
  bool complete;
};

class EndOfHeader : public testing::TestWithParam<EndCase> {};

TEST_P(EndOfHeader, IsFoundInPiecesOfAnySize) {
  const EndCase& given = GetParam();
  for (std::size_t piece = 1; piece <= given.octets.size() + 1; ++piece) {
    FakeSpool spool;
    Message message(MessageLimits{}, spool);
    append_in_pieces(message, given.octets, piece);
    EXPECT_EQ(message.header_octets(), given.header) << given.what << ", pieces of " << piece;
    EXPECT_EQ(message.header_is_complete(), given.complete) << given.what << ", pieces of " << piece;
    EXPECT_EQ(body_of(message), given.octets.substr(given.header.size())) << given.what << ", pieces of " << piece;
    EXPECT_EQ(message.octets(), given.octets.size());
    EXPECT_EQ(message.body_octets(), given.octets.size() - given.header.size());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Message, EndOfHeader,
    testing::Values(EndCase{"usual", "A: 1\r\nB: 2\r\n\r\nbody\r\n\r\nmore\r\n", "A: 1\r\nB: 2\r\n\r\n", true},
                    EndCase{"no body", "A: 1\r\n\r\n", "A: 1\r\n\r\n", true},
                    EndCase{"no fields", "\r\nbody\r\n", "\r\n", true},
                    EndCase{"only an empty line", "\r\n", "\r\n", true},
                    EndCase{"two empty lines", "\r\n\r\nx\r\n", "\r\n", true},
                    EndCase{"header only", "A: 1\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n", false},
                    EndCase{"body-like lines without an empty one", "hello\r\nworld\r\n", "hello\r\nworld\r\n", false},
                    EndCase{"a lone CR is no line end", "A: 1\r\r\n\r\nx", "A: 1\r\r\n\r\n", true},
                    EndCase{"CR before the empty line", "\r\r\n\r\nx", "\r\r\n\r\n", true},
                    EndCase{"a bare LF is no line end", "A: 1\n\nB: 2\r\n\r\n", "A: 1\n\nB: 2\r\n\r\n", true},
                    EndCase{"nothing", "", "", false}));

TEST(MessageHeader, EveryTextOfFewLineEndsCutInTwoIsReadAsWhole) {
  const std::string alphabet = "\r\nx";
  std::string octets;
  for (int number = 0; number < 3 * 3 * 3 * 3 * 3 * 3 * 3; ++number) {
    octets.clear();
    for (int rest = number, i = 0; i < 7; ++i, rest /= 3) octets += alphabet[static_cast<std::size_t>(rest % 3)];
    FakeSpool spool;
    Message whole(MessageLimits{}, spool);
    whole.append(octets);
    for (std::size_t cut = 1; cut < octets.size(); ++cut) {
      Message parts(MessageLimits{}, spool);
      parts.append(std::string_view(octets).substr(0, cut));
      parts.append(std::string_view(octets).substr(cut));
      ASSERT_EQ(parts.header_octets(), whole.header_octets()) << number << " cut at " << cut;
      ASSERT_EQ(parts.header_is_complete(), whole.header_is_complete()) << number << " cut at " << cut;
    }
  }
}

TEST(MessageHeader, PastItsLimitCountsAsCompleteAndOverLimit) {
  FakeSpool spool;
  Message message(MessageLimits{}, spool);
  std::string line = "A: " + std::string(995, 'x') + "\r\n";
  std::string all;
  for (int i = 0; i < 400; ++i) all += line;
  append_in_pieces(message, all, 16 * 1024);
  EXPECT_TRUE(message.header_is_complete());
  EXPECT_EQ(message.header_octets().size(), max_header_octets + 1);
  EXPECT_EQ(std::string(message.header_octets()) + body_of(message), all);
  message.parse_header();
  EXPECT_TRUE(message.header().faults().section_too_long);
}

TEST(MessageHeader, OfExactlyItsLimitIsWithinIt) {
  FakeSpool spool;
  Message message(MessageLimits{}, spool);
  std::string header;
  while (header.size() < max_header_octets - 1000) header += "A: " + std::string(995, 'x') + "\r\n";
  header += "A: " + std::string(max_header_octets - header.size() - 7, 'x') + "\r\n\r\n";
  ASSERT_EQ(header.size(), max_header_octets);
  append_in_pieces(message, header + "body", 1000);
  message.parse_header();
  EXPECT_TRUE(message.header_is_complete());
  EXPECT_FALSE(message.header().faults().over_limit());
  EXPECT_EQ(body_of(message), "body");
}

TEST(MessageHeader, ViewsOutliveMoves) {
  FakeSpool spool;
  // Short enough for a string to keep it within itself, where a move would copy it.
  Message first(MessageLimits{}, spool);
  first.append("A: b\r\n\r\n");
  first.parse_header();
  Message second(std::move(first));
  Message third(MessageLimits{}, spool);
  third.append("Other: field\r\n\r\n");
  third.parse_header();
  third = std::move(second);
  ASSERT_EQ(third.header().fields().size(), 1u);
  EXPECT_EQ(third.header().fields()[0].name, "A");
  EXPECT_EQ(third.header().fields()[0].value, " b");
  EXPECT_EQ(third.header().fields()[0].whole.data(), third.header_octets().data());
}

TEST(MessageHeader, LosesAMailboxLineAtItsStart) {
  FakeSpool spool;
  Message message(MessageLimits{}, spool);
  message.append("From ann@example.org Sun Nov 22 21:55:29 2026\r\nSubject: x\r\n\r\nbody");
  message.parse_header();
  EXPECT_TRUE(message.had_mailbox_line());
  EXPECT_EQ(message.header_octets(), "Subject: x\r\n\r\n");
  ASSERT_EQ(message.header().fields().size(), 1u);
  EXPECT_FALSE(message.header().faults().malformed_line);
  EXPECT_EQ(body_of(message), "body");
}

TEST(MessageHeader, KeepsWhatOnlyLooksLikeAMailboxLine) {
  for (std::string octets : {"From : ann@example.org\r\n\r\n", "From \t: x\r\n\r\n", "From: ann@example.org\r\n\r\n",
                             "Subject: x\r\nFrom ann@example.org\r\n\r\n", "From \r"}) {
    FakeSpool spool;
    Message message(MessageLimits{}, spool);
    message.append(octets);
    message.parse_header();
    EXPECT_FALSE(message.had_mailbox_line()) << octets;
    EXPECT_EQ(message.header_octets(), octets);
  }
}

}  // namespace
}  // namespace sallyport::mail
