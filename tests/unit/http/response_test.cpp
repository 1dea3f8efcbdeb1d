// What web servers answer: well-formed, broken, hostile, and cut into any pieces.
#include "gateway/http/response.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sallyport::http {
namespace {

constexpr std::size_t most = 1000;

// "200 body", or why it failed. The answer is fed in pieces of this size, then the connection ends.
std::string read(std::string_view octets, std::size_t piece = 1 << 20) {
  ResponseReader reader(most);
  for (std::size_t at = 0; at < octets.size(); at += piece) reader.feed(octets.substr(at, piece));
  reader.end();
  if (reader.state() != ResponseReader::State::done) return std::string(reader.problem());
  const Response response = reader.take();
  return std::to_string(response.status) + " " + response.body;
}

struct AnswerCase {
  std::string octets;
  std::string expected;
};

class Answer : public testing::TestWithParam<AnswerCase> {};

TEST_P(Answer, IsReadWholeAndOneOctetAtATime) {
  EXPECT_EQ(read(GetParam().octets), GetParam().expected);
  EXPECT_EQ(read(GetParam().octets, 1), GetParam().expected);
  EXPECT_EQ(read(GetParam().octets, 7), GetParam().expected);
}

const std::string ok = "HTTP/1.1 200 OK\r\n";

INSTANTIATE_TEST_SUITE_P(
    Good, Answer,
    testing::Values(
        AnswerCase{ok + "Content-Length: 5\r\n\r\nhello", "200 hello"},
        AnswerCase{ok + "content-length:5 \r\n\r\nhello, world", "200 hello"},
        AnswerCase{ok + "Content-Length: 0\r\n\r\n", "200 "}, AnswerCase{ok + "\r\nto the end", "200 to the end"},
        AnswerCase{"HTTP/1.0 404 Not Found\r\n\r\n", "404 "}, AnswerCase{"HTTP/1.1 204\r\n\r\n", "204 "},
        AnswerCase{"HTTP/1.1 204 \r\nContent-Length: 5\r\n\r\n", "204 "},
        AnswerCase{ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "200 hello"},
        AnswerCase{ok + "Transfer-Encoding: Chunked\r\n\r\n2;x=\"y\"\r\nhe\r\n003\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n",
                   "200 hello"},
        AnswerCase{ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", "200 ok"},
        AnswerCase{
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ok + "Content-Length: 1\r\n\r\nx",
            "200 x"}));

const std::string no_end = "an answer without its end";
const std::string no_http = "not an answer of HTTP/1.1";

INSTANTIATE_TEST_SUITE_P(
    Bad, Answer,
    testing::Values(AnswerCase{"", no_end}, AnswerCase{"HTTP/1.1 200", no_end},
                    AnswerCase{"HTTP/1.1 200\n", "a line without CR"}, AnswerCase{"HTTP/2 200 OK\r\n", no_http},
                    AnswerCase{"HTTP/1.1 2000 OK\r\n", no_http}, AnswerCase{"HTTP/1.1 99 OK\r\n", no_http},
                    AnswerCase{"HTTP/1.1  200 OK\r\n", no_http}, AnswerCase{"220 mx.example ESMTP\r\n", no_http},
                    AnswerCase{"\r\n", no_http}, AnswerCase{ok + "Content-Length: 5\r\n\r\nhell", no_end},
                    AnswerCase{ok + "Content-Length: 1001\r\n\r\n", "too_large"},
                    AnswerCase{ok + "Content-Length: 18446744073709551615\r\n\r\n", "too_large"},
                    AnswerCase{ok + "Content-Length: 18446744073709551616\r\n\r\n", "a content length that is none"},
                    AnswerCase{ok + "Content-Length: -1\r\n\r\n", "a content length that is none"},
                    AnswerCase{ok + "Content-Length: +1\r\n\r\n", "a content length that is none"},
                    AnswerCase{ok + "Content-Length: 5, 5\r\n\r\nhello", "a content length that is none"},
                    AnswerCase{ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
                               "a content length that is none"},
                    AnswerCase{ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                               "a content length beside a transfer coding"},
                    AnswerCase{ok + "Transfer-Encoding: gzip, chunked\r\n\r\n", "an unknown transfer coding"},
                    AnswerCase{ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                               "an unknown transfer coding"},
                    AnswerCase{ok + "Content-Length : 5\r\n\r\nhello", "a malformed header field"},
                    AnswerCase{ok + "X: 1\r\n folded\r\n\r\n", "a malformed header field"},
                    AnswerCase{ok + "no colon\r\n\r\n", "a malformed header field"},
                    AnswerCase{ok + ": x\r\n\r\n", "a malformed header field"},
                    AnswerCase{ok + "X: a\rb\r\n\r\n", "a CR or NUL in a line"},
                    AnswerCase{ok + std::string("X: a\0b\r\n\r\n", 10), "a CR or NUL in a line"},
                    AnswerCase{ok + "X: 1\n\r\n", "a line without CR"},
                    AnswerCase{ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello", no_end},
                    AnswerCase{ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
                               "a chunk that is longer than it says"},
                    AnswerCase{ok + "Transfer-Encoding: chunked\r\n\r\nx\r\n", "a chunk without its size"},
                    AnswerCase{ok + "Transfer-Encoding: chunked\r\n\r\n0x5\r\n", "a chunk without its size"},
                    AnswerCase{ok + "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "a chunk without its size"},
                    AnswerCase{ok + "Transfer-Encoding: chunked\r\n\r\n\r\n", "a chunk without its size"},
                    AnswerCase{ok + "Transfer-Encoding: chunked\r\n\r\n100000000\r\n", "a chunk without its size"},
                    AnswerCase{ok + "Transfer-Encoding: chunked\r\n\r\nfff\r\n" + std::string(0xfff, 'x'), "too_large"},
                    AnswerCase{ok + "\r\n" + std::string(1001, 'x'), "too_large"},
                    AnswerCase{"HTTP/1.1 101 Switching\r\n\r\n", "too many interim answers"}));

TEST(AnswerBounds, OfTheHead) {
  std::string fields;
  for (int i = 0; i < 300; ++i) fields += "X: 1\r\n";
  EXPECT_EQ(read(ok + fields + "\r\n"), "too many header fields");
  EXPECT_EQ(read(ok + "X: " + std::string(70000, 'x')), "a header section that is too long");
  EXPECT_EQ(read(std::string(70000, 'H')), "a header section that is too long");
  std::string interim;
  for (int i = 0; i < 6; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(read(interim), "too many interim answers");
  std::string trailers = ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n";
  for (int i = 0; i < 20000; ++i) trailers += "X: 1\r\n";
  EXPECT_EQ(read(trailers), "a header section that is too long");
  // Lengths of chunks that never end, and say nothing.
  EXPECT_EQ(read(ok + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(70000, 'x')),
            "a header section that is too long");
}

TEST(AnswerHeaders, AreFoundByTheirNames) {
  ResponseReader reader(most);
  reader.feed("HTTP/1.1 301 Moved\r\nLocation:  /x \r\nLOCATION: /y\r\nContent-Length: 0\r\n\r\n");
  const Response response = reader.take();
  ASSERT_NE(response.find("location"), nullptr);
  EXPECT_EQ(*response.find("location"), "/x");
  EXPECT_EQ(response.find("Location"), nullptr);
  EXPECT_EQ(response.headers.size(), 3u);
}

// However it is cut: the same answer.
TEST(AnswerPieces, DoNotMatter) {
  std::mt19937 random(17);
  const std::string_view parts[] = {"HTTP/1.1 200 OK\r\n",
                                    "Content-Length: 3\r\n",
                                    "Transfer-Encoding: chunked\r\n",
                                    "\r\n",
                                    "abc",
                                    "3\r\n",
                                    "0\r\n",
                                    "\n",
                                    "X: y\r\n",
                                    "HTTP/1.1 100 x\r\n\r\n",
                                    ";",
                                    " "};
  for (int i = 0; i < 20'000; ++i) {
    std::string octets = random() % 2 == 0 ? std::string(parts[0]) : std::string();
    for (std::size_t n = random() % 8; n > 0; --n) octets += parts[random() % std::size(parts)];
    const std::string whole = read(octets);
    EXPECT_EQ(read(octets, 1), whole) << octets;
    EXPECT_EQ(read(octets, 1 + random() % 5), whole) << octets;
  }
}

}  // namespace
}  // namespace sallyport::http
