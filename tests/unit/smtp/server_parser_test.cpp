#include "gateway/smtp/server_parser.h"

#include <gtest/gtest.h>

#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "gateway/base/text.h"

namespace sallyport::smtp {
namespace {

using namespace std::string_literals;
using Kind = LineEvent::Kind;

struct Seen {
  Kind kind;
  std::string text;
  std::size_t end;  // octets of the stream up to the event's end
  friend bool operator==(const Seen&, const Seen&) = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << static_cast<int>(seen.kind) << " \"" << seen.text << "\" ..." << seen.end;
}

// A connection's buffer that fills by pieces of the given sizes (the last size again and again) and is read until the
// conversation ends.
std::vector<Seen> parse(const std::string& stream, const std::vector<std::size_t>& pieces, std::size_t limit) {
  ServerParser parser(limit);
  std::vector<Seen> events;
  std::string buffer;
  std::size_t arrived = 0;
  std::size_t done = 0;
  for (std::size_t i = 0; arrived < stream.size(); ++i) {
    const std::string piece = stream.substr(arrived, pieces[std::min(i, pieces.size() - 1)]);
    arrived += piece.size();
    buffer += piece;
    while (true) {
      std::size_t discardable = 0;
      const auto event = parser.next(buffer, discardable);
      const std::size_t consumed = event ? event->consumed : discardable;
      EXPECT_LE(consumed, buffer.size());
      done += consumed;
      if (event) events.push_back({event->kind, std::string(event->text), done});
      buffer.erase(0, consumed);
      if (event && (event->kind == Kind::bad || event->kind == Kind::flood)) return events;
      if (!event) break;
    }
    // No event: there is room for one more octet in a buffer of the limit's size.
    const bool is_auth = text::starts_with_ignoring_case(buffer, "AUTH ");
    EXPECT_LT(buffer.size(), is_auth ? std::max(limit, ServerParser::auth_line_octets) : limit);
  }
  return events;
}

std::vector<Seen> parse_every_way(const std::string& stream, std::size_t limit = 4096) {
  const auto whole = parse(stream, {stream.size()}, limit);
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) EXPECT_EQ(parse(stream, {piece}, limit), whole) << piece;
  return whole;
}

TEST(ServerParser, SplitsAtCrlf) {
  const std::vector<Seen> expected = {{Kind::line, "EHLO a", 8}, {Kind::line, "", 10}, {Kind::line, "QUIT", 16}};
  EXPECT_EQ(parse_every_way("EHLO a\r\n\r\nQUIT\r\nhalf"), expected);
}

TEST(ServerParser, PointsIntoTheInput) {
  ServerParser parser;
  std::size_t discardable = 0;
  const std::string input = "NOOP\r\nNOOP\r\n";
  const auto event = parser.next(input, discardable);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->text.data(), input.data());
}

// S5
TEST(ServerParser, CallsBareLineEndsAndNulBad) {
  const std::vector<std::pair<std::string, std::size_t>> cases = {
      {"NOOP\nQUIT\r\n", 5}, {"\nQUIT\r\n", 1}, {"NO\rOP\r\n", 3},       {"NOOP\r\r\n", 5}, {"NO\0OP\r\n"s, 3},
      {"NO\r\0OP\r\n"s, 3},  {"A\0\rB\n"s, 2},  {"NOOP\r\rQUIT\r\n", 5}, {"\rNOOP\r\n", 1}, {"NO\0OP\n"s, 3},
  };
  for (const auto& [stream, end] : cases) {
    const std::vector<Seen> expected = {{Kind::bad, "", end}};
    EXPECT_EQ(parse_every_way(stream), expected) << testing::PrintToString(stream);
  }
}

TEST(ServerParser, WaitsForWhatFollowsACr) {
  ServerParser parser;
  std::size_t discardable = 0;
  EXPECT_FALSE(parser.next("NOOP\r", discardable));
  EXPECT_EQ(discardable, 0U);
  const auto event = parser.next("NOOP\r\n", discardable);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->text, "NOOP");
  EXPECT_EQ(event->consumed, 6U);
}

// S9: the limit counts the CRLF, and the tail of a line too long is no command.
TEST(ServerParser, DiscardsAnOverlongLine) {
  for (const std::size_t limit : {16U, 4096U, 12288U}) {
    const std::string fits(limit - 2, 'a');
    const std::string stream = fits + "\r\n" + fits + "b\r\n" + std::string(3 * limit, 'c') + "\r\nQUIT\r\n";
    const std::size_t first = limit;
    const std::size_t second = first + limit + 1;
    const std::size_t third = second + 3 * limit + 2;
    const std::vector<Seen> expected = {{Kind::line, fits, first},
                                        {Kind::too_long, std::string(12, 'a'), second},
                                        {Kind::too_long, std::string(12, 'c'), third},
                                        {Kind::line, "QUIT", third + 6}};
    EXPECT_EQ(parse_every_way(stream, limit), expected) << limit;
  }
}

// S9, RFC 4954, 4: credentials may be longer than other lines, and only at the beginning of a line does AUTH count.
TEST(ServerParser, LetsAuthBeLonger) {
  const std::string fits = "AUTH PLAIN " + std::string(12288 - 13, 'A');
  const std::string tail = std::string(4096, 'x') + "AUTH " + std::string(5000, 'x');
  const std::string stream = fits + "\r\n" + "a" + fits.substr(1) + "A\r\n" + tail + "\r\nQUIT\r\n";
  const std::size_t first = 12288;
  const std::size_t second = first + 12289;
  const std::size_t third = second + tail.size() + 2;
  const std::vector<Seen> expected = {{Kind::line, fits, first},
                                      {Kind::too_long, "aUTH PLAIN A", second},
                                      {Kind::too_long, "xxxxxxxxxxxx", third},
                                      {Kind::line, "QUIT", third + 6}};
  EXPECT_EQ(parse_every_way(stream), expected);
}

// S13, S30: what may follow an overlong line depends on its verb.
TEST(ServerParser, KeepsTheBeginningOfAnOverlongLine) {
  for (const std::size_t octets : {5000U, 60000U}) {
    const std::string stream =
        "BDAT 6" + std::string(octets, ' ') + "LAST\r\n" + "DATA" + std::string(octets, 'x') + "\r\n";
    const std::vector<Seen> expected = {{Kind::too_long, "BDAT 6      ", octets + 12},
                                        {Kind::too_long, "DATAxxxxxxxx", 2 * octets + 18}};
    EXPECT_EQ(parse_every_way(stream), expected);
  }
}

TEST(ServerParser, SeesBadOctetsInAnOverlongLineToo) {
  const std::vector<Seen> expected = {{Kind::bad, "", 5001}};
  EXPECT_EQ(parse_every_way(std::string(5000, 'a') + "\nQUIT\r\n"), expected);
  EXPECT_EQ(parse_every_way(std::string(5000, 'a') + "\rQUIT\r\n"), expected);
  EXPECT_EQ(parse_every_way(std::string(5000, 'a') + "\0QUIT\r\n"s), expected);
}

TEST(ServerParser, EndsAFlood) {
  const std::vector<Seen> flood = {{Kind::flood, "", 65536}};
  EXPECT_EQ(parse_every_way(std::string(65536, 'a')), flood);
  EXPECT_EQ(parse_every_way(std::string(100000, 'a') + "\r\nQUIT\r\n"), flood);
  EXPECT_EQ(parse_every_way(std::string(65535, 'a') + "\r\n"), flood);
  const std::vector<Seen> just_long = {{Kind::too_long, std::string(12, 'a'), 65536}};
  EXPECT_EQ(parse_every_way(std::string(65534, 'a') + "\r\n"), just_long);
}

TEST(ServerParser, TakesANewLimitForTheNextLine) {
  ServerParser parser(16);
  std::size_t discardable = 0;
  EXPECT_EQ(parser.next("AUTH PLAIN\r\n", discardable)->kind, Kind::line);
  parser.set_max_line_octets(64);
  const std::string line = std::string(40, 'A') + "\r\n";
  EXPECT_EQ(parser.next(line, discardable)->kind, Kind::line);
}

TEST(ServerParser, GivesEqualEventsForAnyCuts) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  for (int round = 0; round < 2000; ++round) {
    std::string stream;
    const std::size_t size = below(300);
    while (stream.size() < size) {
      stream += std::string(below(30), 'x');
      stream += below(40) == 0 ? std::string(1, "\r\n\0"[below(3)]) : "\r\n"s;
    }
    std::vector<std::size_t> pieces;
    for (int i = 0; i < 50; ++i) pieces.push_back(1 + below(20));
    EXPECT_EQ(parse(stream, pieces, 24), parse(stream, {stream.size() + 1}, 24)) << testing::PrintToString(stream);
  }
}

}  // namespace
}  // namespace sallyport::smtp
