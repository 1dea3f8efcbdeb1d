#include "gateway/smtp/body_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/base/ensure.h"
#include "tests/unit/smtp/content_runs.h"

namespace sallyport::smtp {
namespace {

using namespace std::string_literals;

struct Case {
  const char* what;
  std::string input;    // after DATA, its end included
  std::string content;  // as it reaches the sink
};

// Whole, octet by octet, and cut in two at every place: the same.
Outcome read_every_way(const std::string& input, ContentLimits limits = {}) {
  const Outcome whole = read_data(input, {}, limits);
  EXPECT_EQ(read_data(input, octet_by_octet(input), limits), whole) << escaped(input);
  for (std::size_t cut = 1; cut < input.size(); ++cut)
    EXPECT_EQ(read_data(input, {cut}, limits), whole) << "cut at " << cut << ": " << escaped(input);
  return whole;
}

TEST(BodyReader, UndoesDotStuffing) {
  const std::vector<Case> cases = {
      {"empty message", ".\r\n", ""},
      {"one empty line", "\r\n.\r\n", "\r\n"},
      {"one line", "hello\r\n.\r\n", "hello\r\n"},
      {"stuffed first line", "..x\r\n.\r\n", ".x\r\n"},
      {"stuffed lone dot", "a\r\n..\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
      {"two dots stuffed", "a\r\n...\r\n.\r\n", "a\r\n..\r\n"},
      {"dot a sender forgot to stuff", "a\r\n.b\r\n.\r\n", "a\r\nb\r\n"},
      {"dots within and at the end of lines", "a.b.\r\nc.\r\n.\r\n", "a.b.\r\nc.\r\n"},
  };
  for (const Case& test : cases) {
    const Outcome outcome = read_every_way(test.input);
    EXPECT_TRUE(outcome.ended) << test.what;
    EXPECT_EQ(outcome.content, test.content) << test.what;
    EXPECT_EQ(outcome.consumed, test.input.size()) << test.what;
    EXPECT_EQ(outcome.faults, ContentFaults{}) << test.what;
  }
}

TEST(BodyReader, LeavesTheNextCommandAlone) {
  const Outcome outcome = read_every_way("a\r\n.\r\nMAIL FROM:<>\r\n");
  EXPECT_TRUE(outcome.ended);
  EXPECT_EQ(outcome.content, "a\r\n");
  EXPECT_EQ(outcome.consumed, "a\r\n.\r\n"s.size());
  EXPECT_FALSE(outcome.faults.has_8bit);
}

// S2: all eight. What follows them is content to the true end, and the lone dot is not lost.
TEST(BodyReader, TakesNoLookalikeForTheEnd) {
  const std::string smuggled = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhi\r\n";
  const std::vector<Case> cases = {
      {"LF.LF", "x\n.\n", "x\r\n.\r\n"}, {"LF.CRLF", "x\n.\r\n", "x\r\n.\r\n"}, {"CRLF.LF", "x\r\n.\n", "x\r\n.\r\n"},
      {"CR.CR", "x\r.\r", "x . "},       {"CRLF.CR", "x\r\n.\r", "x\r\n. "},    {"CR.CRLF", "x\r.\r\n", "x .\r\n"},
      {"LF.CR", "x\n.\r", "x\r\n. "},    {"CR.LF", "x\r.\n", "x .\r\n"},
  };
  for (const Case& test : cases) {
    const Outcome outcome = read_every_way(test.input + smuggled + "\r\n.\r\n");
    EXPECT_TRUE(outcome.ended) << test.what;
    EXPECT_EQ(outcome.content, test.content + smuggled + "\r\n") << test.what;
    EXPECT_TRUE(outcome.faults.eod_lookalike) << test.what;
    EXPECT_TRUE(outcome.faults.bare_lf || outcome.faults.bare_cr) << test.what;
  }
}

TEST(BodyReader, SendsALoneDotOutStuffed) {
  for (const char* lookalike : {"\n.\n", "\n.\r\n", "\r\n.\n"}) {
    const Outcome outcome = read_every_way("x"s + lookalike + "y\r\n.\r\n");
    EXPECT_EQ(frame(outcome.content), "x\r\n..\r\ny\r\n.\r\n") << escaped(lookalike);
  }
}

TEST(BodyReader, UnstuffsNothingAfterABareNewline) {
  EXPECT_EQ(read_every_way("a\n..b\r\n.\r\n").content, "a\r\n..b\r\n");
  EXPECT_EQ(read_every_way("a\r..b\r\n.\r\n").content, "a ..b\r\n");
  EXPECT_EQ(read_every_way("a\n.b\r\n.\r\n").content, "a\r\n.b\r\n");
}

TEST(BodyReader, EndsAfterACrlfThatFollowsABareCr) {
  const Outcome outcome = read_every_way("a\r\r\n.\r\n");
  EXPECT_TRUE(outcome.ended);
  EXPECT_EQ(outcome.content, "a \r\n");
  EXPECT_TRUE(outcome.faults.bare_cr);
  EXPECT_FALSE(outcome.faults.eod_lookalike);
}

TEST(BodyReader, PassesNulAndReportsIt) {
  const Outcome outcome = read_every_way("a\0b\r\n.\0\r\n.\r\n"s);
  EXPECT_EQ(outcome.content, "a\0b\r\n\0\r\n"s);
  EXPECT_TRUE(outcome.faults.nul);
  EXPECT_TRUE(outcome.ended);
}

TEST(BodyReader, NotesEightBitContent) {
  EXPECT_TRUE(read_every_way("caf\xc3\xa9\r\n.\r\n").faults.has_8bit);
  EXPECT_FALSE(read_every_way("cafe\r\n.\r\n\xc3\xa9").faults.has_8bit);  // past the end
}

TEST(BodyReader, CountsALineWithoutItsStuffing) {
  const ContentLimits limits{.max_line_octets = 6};  // CRLF counts
  EXPECT_FALSE(read_every_way("..bcd\r\n.\r\n", limits).faults.line_too_long);
  EXPECT_TRUE(read_every_way("..bcde\r\n.\r\n", limits).faults.line_too_long);
}

TEST(BodyReader, PassesAnOrdinaryPieceWhole) {
  std::string input;
  while (input.size() < 100000) input += "An ordinary line of text. It has dots in it, and it ends as lines do.\r\n";
  BodyReader reader;
  CollectingSink sink;
  EXPECT_EQ(reader.read(input, sink).consumed, input.size());
  EXPECT_EQ(sink.content + "\r\n", input + "\r\n");
  EXPECT_EQ(sink.calls, 1U);
}

TEST(BodyReader, ReadsOneMessageOnly) {
  BodyReader reader;
  CollectingSink sink;
  ASSERT_TRUE(reader.read(".\r\n", sink).ended);
  EXPECT_THROW(reader.read("x", sink), BrokenInvariant);
}

}  // namespace
}  // namespace sallyport::smtp
