#include "gateway/admin/request_reader.h"

#include <gtest/gtest.h>

#include <vector>

namespace sallyport::admin {
namespace {

using Outcomes = std::vector<RequestReader::Outcome>;

// All requests of the octets, fed in pieces of this size, up to a refusal.
Outcomes read_in_pieces(std::string_view octets, std::size_t piece) {
  RequestReader reader;
  Outcomes outcomes;
  while (true) {
    RequestReader::Outcome outcome = reader.next();
    if (!std::holds_alternative<NeedsMore>(outcome)) {
      outcomes.push_back(outcome);
      if (std::holds_alternative<HttpRefusal>(outcome)) return outcomes;
      continue;
    }
    if (octets.empty()) return outcomes;
    reader.feed(octets.substr(0, piece));
    octets.remove_prefix(std::min(piece, octets.size()));
  }
}

// All at once, and one octet at a time: the outcome is the same.
Outcomes read(std::string_view octets) {
  Outcomes whole = read_in_pieces(octets, octets.size());
  EXPECT_EQ(whole, read_in_pieces(octets, 1)) << octets.substr(0, 200);
  EXPECT_EQ(whole, read_in_pieces(octets, 7)) << octets.substr(0, 200);
  return whole;
}

Outcomes refused(unsigned status) { return {HttpRefusal{status}}; }
RequestReader::Outcome request(std::string method, std::string path, bool keeps = true) {
  return HttpRequest{std::move(method), std::move(path), keeps};
}

TEST(RequestReader, ReadsRequestsThatFollowEachOther) {
  EXPECT_EQ(read("GET /metrics?x=/readyz HTTP/1.1\r\nHost: a\r\n\r\nHEAD /healthz HTTP/1.1\r\nHost: b\r\nConnection: "
                 "close\r\n\r\n"
                 "GET / HTTP/1.0\r\n\r\n"),
            (Outcomes{request("GET", "/metrics"), request("HEAD", "/healthz", false), request("GET", "/", false)}));
}

TEST(RequestReader, ReadsPastBodies) {
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"
                 "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                 "GET /y HTTP/1.1\r\nHost: a\r\n\r\n"),
            (Outcomes{request("POST", "/"), request("POST", "/x"), request("GET", "/y")}));
}

TEST(RequestReader, AnIncompleteRequestIsNone) {
  for (const char* begun :
       {"", "G", "\r\r\n\n", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcd"})
    EXPECT_EQ(read(begun), Outcomes{}) << begun;
}

TEST(RequestReader, RefusesTwoLengths) {
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            refused(400));
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
            refused(400));
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"), refused(400));
}

TEST(RequestReader, RefusesWhatIsNoRequest) {
  for (const char* nonsense :
       {"GET\r\n\r\n", "GET / HTTX/1.1\r\nHost: a\r\n\r\n", "EHLO mail.example.com\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n Folded: b\r\nBad header: c\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"})
    EXPECT_EQ(read(nonsense), refused(400)) << nonsense;
}

// RFC 9112, 3.2.
TEST(RequestReader, WantsOneHost) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n"), refused(400));
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), refused(400));
}

TEST(RequestReader, BoundsTheHeader) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  EXPECT_EQ(read(begin + std::string(max_header_bytes - 1000, 'x') + "\r\n\r\n"), (Outcomes{request("GET", "/")}));
  EXPECT_EQ(read(begin + std::string(max_header_bytes, 'x') + "\r\n\r\n"), refused(431));
  EXPECT_EQ(read(begin + std::string(10 * max_header_bytes, 'x')), refused(431));
  EXPECT_EQ(read("GET /" + std::string(10 * max_header_bytes, 'x')), refused(431));
}

TEST(RequestReader, BoundsTheBody) {
  const std::string begin = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
  const std::string most = std::to_string(max_body_bytes);
  EXPECT_EQ(read_in_pieces(begin + most + "\r\n\r\n" + std::string(max_body_bytes, 'x'), 4096),
            (Outcomes{request("POST", "/")}));
  EXPECT_EQ(read(begin + std::to_string(max_body_bytes + 1) + "\r\n\r\n"), refused(413));
  EXPECT_EQ(read(begin + "99999999999999999999999999\r\n\r\n"), refused(400));
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string chunks;
  for (int i = 0; i < 20; ++i) chunks += "10000\r\n" + std::string(65536, 'x') + "\r\n";
  EXPECT_EQ(read_in_pieces(chunked + chunks, 4096), refused(413));
}

}  // namespace
}  // namespace sallyport::admin
