#include "gateway/smtp/content_lines.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/smtp/content_runs.h"

namespace sallyport::smtp {
namespace {

using namespace std::string_literals;

struct Decoded {
  std::string content;
  ContentFaults faults;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decode_in_pieces(const std::string& input, std::size_t piece, ContentLimits limits) {
  ContentLines lines(limits);
  CollectingSink sink;
  for (std::size_t at = 0; at < input.size(); at += piece) lines.append(input.substr(at, piece), sink);
  lines.finish(sink);
  return {sink.content, lines.faults()};
}

Decoded decode(const std::string& input, ContentLimits limits = {}) {
  const Decoded whole = decode_in_pieces(input, input.size() + 1, limits);
  for (std::size_t piece = 1; piece < 4; ++piece) EXPECT_TRUE(decode_in_pieces(input, piece, limits) == whole) << piece;
  return whole;
}

TEST(ContentLines, NormalisesLineEnds) {
  struct Case {
    std::string input;
    std::string content;
    bool bare_lf;
    bool bare_cr;
  };
  const std::vector<Case> cases = {
      {"", "", false, false},
      {"\r\n", "\r\n", false, false},
      {"a\r\nb\r\n", "a\r\nb\r\n", false, false},
      {"a", "a\r\n", false, false},  // S7
      {"a\n", "a\r\n", true, false},
      {"\n\n", "\r\n\r\n", true, false},
      {"a\rb\r\n", "a b\r\n", false, true},
      {"a\r", "a \r\n", false, true},
      {"\r", " \r\n", false, true},
      {"a\r\r\n", "a \r\n", false, true},
      {"a\n\r\n", "a\r\n\r\n", true, false},
      {"\n\r", "\r\n \r\n", true, true},
      {"\ta\x0b\x0c\r\n", "\ta\x0b\x0c\r\n", false, false},
  };
  for (const Case& test : cases) {
    const Decoded decoded = decode(test.input);
    EXPECT_EQ(decoded.content, test.content) << escaped(test.input);
    EXPECT_EQ(decoded.faults.bare_lf, test.bare_lf) << escaped(test.input);
    EXPECT_EQ(decoded.faults.bare_cr, test.bare_cr) << escaped(test.input);
  }
}

TEST(ContentLines, HoldsACrUntilTheNextPiece) {
  ContentLines lines;
  CollectingSink sink;
  lines.append("a\r", sink);
  EXPECT_EQ(sink.content, "a");
  lines.append("\nb\r", sink);
  EXPECT_EQ(sink.content, "a\r\nb");
  lines.append("\r", sink);
  EXPECT_EQ(sink.content, "a\r\nb ");
  lines.finish(sink);
  EXPECT_EQ(sink.content, "a\r\nb  \r\n");
  EXPECT_TRUE(lines.faults().bare_cr);
}

// S10: the limit counts the CRLF, and lines in blocks of any kind.
TEST(ContentLines, MeasuresLines) {
  for (const std::size_t limit : {3U, 1000U, 4095U, 4096U, 4097U, 5000U, 65536U}) {
    const ContentLimits limits{.max_line_octets = limit};
    const std::string fitting(limit - 2, 'x');
    for (const std::string& before :
         {""s, "\r\n"s, "y\r\n"s, "\n"s, std::string(3000, 'x').substr(0, limit - 2) + "\r\n"}) {
      EXPECT_FALSE(decode_in_pieces(before + fitting + "\r\nz\r\n", 100000, limits).faults.line_too_long) << limit;
      EXPECT_TRUE(decode_in_pieces(before + fitting + "x\r\nz\r\n", 100000, limits).faults.line_too_long) << limit;
      EXPECT_FALSE(decode_in_pieces(before + fitting + "\nz\r\n", 700, limits).faults.line_too_long) << limit;
      EXPECT_TRUE(decode_in_pieces(before + fitting + "x\nz\r\n", 700, limits).faults.line_too_long) << limit;
      EXPECT_TRUE(decode_in_pieces(before + fitting + "x", 700, limits).faults.line_too_long) << limit;
    }
  }
}

TEST(ContentLines, PassesALongLineUncut) {
  const std::string line(200000, 'x');
  const Decoded decoded = decode_in_pieces(line + "\r\n", 16384, {});
  EXPECT_EQ(decoded.content, line + "\r\n");
  EXPECT_TRUE(decoded.faults.line_too_long);
}

}  // namespace
}  // namespace sallyport::smtp
