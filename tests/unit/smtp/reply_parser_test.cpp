#include "gateway/smtp/reply_parser.h"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace sallyport::smtp {

static bool operator==(const UpstreamReply& a, const UpstreamReply& b) {
  return a.code == b.code && a.enhanced == b.enhanced && a.lines == b.lines;
}

namespace {

using namespace std::string_literals;
using Lines = std::vector<std::string>;

struct Heard {
  std::vector<UpstreamReply> replies;
  bool malformed = false;
  std::size_t consumed = 0;
  friend bool operator==(const Heard&, const Heard&) = default;
};

Heard hear_in_pieces(const std::string& stream, std::size_t piece) {
  ReplyParser parser;
  Heard heard;
  for (std::size_t arrived = 0; arrived < stream.size();) {
    arrived = std::min(stream.size(), arrived + piece);
    while (true) {
      const auto progress = parser.read(std::string_view(stream).substr(heard.consumed, arrived - heard.consumed));
      if (!progress) {
        heard.malformed = true;
        heard.consumed = 0;  // of no meaning any more
        EXPECT_FALSE(parser.read("250 ok\r\n"));
        return heard;
      }
      heard.consumed += progress->consumed;
      if (!progress->reply) break;
      heard.replies.push_back(*progress->reply);
    }
  }
  return heard;
}

Heard hear(const std::string& stream) {
  const Heard whole = hear_in_pieces(stream, stream.size());
  for (const std::size_t piece : {1U, 2U, 3U, 5U, 700U})
    EXPECT_TRUE(hear_in_pieces(stream, piece) == whole) << "pieces of " << piece << ": " << stream.substr(0, 80);
  return whole;
}

TEST(ReplyParser, ReadsReplies) {
  const Heard heard = hear(
      "220 mx ready\r\n250-mx\r\n250-SIZE 5\r\n250 DSN\r\n250\r\n550 5.1.1 no such user\r\n354 go\r\n250-\r\n250 \r\n");
  EXPECT_FALSE(heard.malformed);
  ASSERT_EQ(heard.replies.size(), 6U);
  EXPECT_EQ(heard.replies[0].code, 220);
  EXPECT_EQ(heard.replies[0].lines, Lines{"mx ready"});
  EXPECT_EQ(heard.replies[1].lines, (Lines{"mx", "SIZE 5", "DSN"}));
  EXPECT_EQ(heard.replies[2].code, 250);
  EXPECT_EQ(heard.replies[2].lines, Lines{""});
  EXPECT_EQ(heard.replies[3].enhanced, "5.1.1");
  EXPECT_EQ(heard.replies[3].lines, Lines{"5.1.1 no such user"});
  EXPECT_TRUE(heard.replies[3].is_permanent());
  EXPECT_TRUE(heard.replies[4].is_intermediate());
  EXPECT_EQ(heard.replies[5].lines, (Lines{"", ""}));
}

TEST(ReplyParser, GivesOneReplyAtATime) {
  ReplyParser parser;
  const std::string stream = "250-a\r\n250 b\r\n250 c\r\n";
  const auto first = parser.read(stream);
  ASSERT_TRUE(first && first->reply);
  EXPECT_EQ(first->consumed, 14U);
  const auto half = parser.read("250-a\r\n250");
  ASSERT_TRUE(half);
  EXPECT_EQ(half->consumed, 7U);
  EXPECT_FALSE(half->reply);
}

TEST(ReplyParser, TakesTheEnhancedCodeOfTheRightClassOnly) {
  EXPECT_EQ(hear("550 4.1.1 x\r\n").replies.at(0).enhanced, "");
  EXPECT_EQ(hear("250-2.1.0 x\r\n250 2.5.0 y\r\n").replies.at(0).enhanced, "2.1.0");
  EXPECT_EQ(hear("250-x\r\n250 2.5.0 y\r\n").replies.at(0).enhanced, "");
  EXPECT_EQ(hear("550 5.1.1\r\n").replies.at(0).enhanced, "5.1.1");
  EXPECT_EQ(hear("550 5.1.1x\r\n").replies.at(0).enhanced, "");
}

// U2
TEST(ReplyParser, CallsTheRestMalformed) {
  for (const std::string& stream : {"250-a\r\n251 b\r\n"s,
                                    "hello\r\n"s,
                                    "\r\n"s,
                                    "25\r\n"s,
                                    "25x ok\r\n"s,
                                    "199 x\r\n"s,
                                    "600 x\r\n"s,
                                    "000 x\r\n"s,
                                    "250ok\r\n"s,
                                    "250\tok\r\n"s,
                                    "2500 ok\r\n"s,
                                    " 250 ok\r\n"s,
                                    "-25 ok\r\n"s,
                                    "250 a\nb\r\n"s,
                                    "250 a\rb\r\n"s,
                                    "250 ok\n"s,
                                    "\n"s,
                                    "250 a\0b\r\n"s,
                                    "250 ok\r\r\n"s,
                                    "250-a\r\n\r\n250 b\r\n"s,
                                    "250 a\rb"s,
                                    "250 a\0"s,
                                    "HTTP/1.1 400 Bad Request\r\n"s}) {
    const Heard heard = hear(stream);
    EXPECT_TRUE(heard.malformed) << testing::PrintToString(stream);
    EXPECT_TRUE(heard.replies.empty()) << testing::PrintToString(stream);
  }
}

TEST(ReplyParser, KeepsWhatCameBeforeTheFault) {
  const Heard heard = hear("250 ok\r\nrubbish\r\n");
  EXPECT_TRUE(heard.malformed);
  EXPECT_EQ(heard.replies.size(), 1U);
}

// U1
TEST(ReplyParser, BoundsLinesAndOctets) {
  std::string lines;
  for (int i = 0; i < 127; ++i) lines += "250-x\r\n";
  EXPECT_EQ(hear(lines + "250 x\r\n").replies.at(0).lines.size(), 128U);
  EXPECT_TRUE(hear(lines + "250-x\r\n250 x\r\n").malformed);

  const std::string most = "250 " + std::string(16384 - 6, 'x') + "\r\n";
  ASSERT_EQ(most.size(), 16384U);
  EXPECT_EQ(hear(most + most).replies.size(), 2U);  // the bound is of each reply
  EXPECT_TRUE(hear("250 " + std::string(16384 - 5, 'x') + "\r\n").malformed);
  EXPECT_TRUE(hear("250 " + std::string(100 * 1024, 'x')).malformed);
  EXPECT_TRUE(hear("250-" + std::string(9000, 'x') + "\r\n250 " + std::string(9000, 'x') + "\r\n").malformed);
}

// I7: unchanged, to the octet.
TEST(PassOn, LeavesFitRepliesAlone) {
  for (const std::string& wire :
       {"550 5.1.1 no such user\r\n"s, "550 no such user\r\n"s, "550-5.1.1 no\r\n550 5.1.1 such user\r\n"s,
        "550-5.1.1 no\r\n550 such user\r\n"s, "550-5.1.1 no\r\n550 5.1.2 such user\r\n"s, "550 5.1.1\r\n"s, "550\r\n"s,
        "550-\r\n550 x\r\n"s, "550 5.1.1  two spaces\r\n"s, "421 4.3.2 \r\n"s, "550-5.1.1\r\n550 5.1.1 x\r\n"s,
        "550 1.2.3.4 is listed\r\n"s, "354 2.0.0 go\r\n"s, "250 2.6.0 <a@b> queued\r\n"s,
        "550 5.1.1 " + std::string(500, 'x') + "\r\n"}) {
    const Heard heard = hear(wire);
    ASSERT_EQ(heard.replies.size(), 1U) << wire;
    EXPECT_EQ(pass_on(heard.replies[0]).to_wire(), wire);
  }
  EXPECT_EQ(pass_on(hear("550-5.1.1 no\r\n550 5.1.1 user\r\n").replies.at(0)).enhanced(), "5.1.1");
}

// U14
TEST(PassOn, FiltersHostileText) {
  EXPECT_EQ(pass_on(hear("550 caf\xc3\xa9\tx\x1b[2J\r\n").replies.at(0)).to_wire(), "550 caf???x?[2J\r\n");
  EXPECT_EQ(pass_on(hear("550 2.1.5 fine\r\n").replies.at(0)).to_wire(), "550 5.1.5 fine\r\n");
  EXPECT_EQ(pass_on(hear("451-5.1.5 a\r\n451 2.1.5 b\r\n").replies.at(0)).to_wire(), "451-4.1.5 a\r\n451 4.1.5 b\r\n");
  const std::string wire = pass_on(hear("550 5.7.1 " + std::string(5000, 'x') + "\r\n").replies.at(0)).to_wire();
  for (std::size_t at = 0, end = 0; at < wire.size(); at = end + 2) {
    end = wire.find("\r\n", at);
    EXPECT_LE(end + 2 - at, 512U);
    EXPECT_EQ(wire.substr(at, 3), "550");
    EXPECT_EQ(wire.substr(at + 4, 5), "5.7.1");
  }
}

}  // namespace
}  // namespace sallyport::smtp
