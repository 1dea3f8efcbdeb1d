#include "gateway/smtp/proxy_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::smtp {
namespace {

using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string greeting = "EHLO x\r\n";

std::string be16(std::size_t number) {
  return {static_cast<char>(number >> 8 & 0xff), static_cast<char>(number & 0xff)};
}

std::string v2(char version_and_command, char family, const std::string& rest) {
  return signature + version_and_command + family + be16(rest.size()) + rest;
}

const std::string tcp4 = "\xc0\x00\x02\x01\xc0\x00\x02\x02"s + be16(40000) + be16(25);
const std::string tcp6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01\x20\x01\x0d\xb8"s + std::string(11, '\0') +
                         "\x02"s + be16(40000) + be16(25);

// Reads `header` as it arrives, octet by octet: nothing until it is whole, then the same with and without what follows.
Result<ProxyHeader, ProxyError> read(const std::string& header) {
  const auto whole = read_proxy_header(header + greeting);
  for (std::size_t size = 0; size < header.size(); ++size) {
    const auto part = read_proxy_header(std::string_view(header).substr(0, size));
    EXPECT_FALSE(part) << size << " octets";
    if (whole && !part) EXPECT_EQ(part.error(), ProxyError::incomplete) << size << " octets";
  }
  const auto alone = read_proxy_header(header);
  EXPECT_EQ(alone.ok(), whole.ok());
  return whole;
}

void expect_source(const std::string& header, const std::string& source) {
  const auto read_header = read(header);
  ASSERT_TRUE(read_header);
  ASSERT_TRUE(read_header->source);
  EXPECT_EQ(read_header->source->to_string(), source);
  EXPECT_EQ(read_header->consumed, header.size());
}

void expect_no_source(const std::string& header) {
  const auto read_header = read(header);
  ASSERT_TRUE(read_header) << testing::PrintToString(header);
  EXPECT_FALSE(read_header->source);
  EXPECT_EQ(read_header->consumed, header.size());
}

TEST(ProxyV1, GivesTheSource) {
  expect_source("PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n", "192.0.2.1:40000");
  expect_source("PROXY TCP6 2001:db8::1 2001:db8::2 40000 25\r\n", "[2001:db8::1]:40000");
  expect_source("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 65535 0\r\n", "192.0.2.1:65535");
}

TEST(ProxyV1, MayKnowNothing) {
  expect_no_source("PROXY UNKNOWN\r\n");
  expect_no_source("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n");
}

TEST(ProxyV1, RefusesEverythingElse) {
  for (const std::string& header : {"PROXY\r\n"s,
                                    "PROXY \r\n"s,
                                    "PROXY TCP4\r\n"s,
                                    "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"s,
                                    "PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n"s,
                                    "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n"s,
                                    "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"s,
                                    "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"s,
                                    "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"s,
                                    "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"s,
                                    "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"s,
                                    "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"s,
                                    "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"s,
                                    "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"s,
                                    "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"s,
                                    "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"s,
                                    "PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n"s,
                                    "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"s,
                                    "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rx"s,
                                    "PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n"s,
                                    "PROXY UNKNOWNX\r\n"s,
                                    "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n",
                                    "PROXY UNKNOWN " + std::string(93, 'x'),
                                    "EHLO x\r\n"s,
                                    "\r\nx"s,
                                    "PX"s}) {
    const auto read_header = read_proxy_header(header);
    ASSERT_FALSE(read_header) << testing::PrintToString(header);
    EXPECT_EQ(read_header.error(), ProxyError::invalid) << testing::PrintToString(header);
  }
  expect_no_source("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n");  // 107 octets
}

TEST(ProxyV2, GivesTheSource) {
  expect_source(v2('\x21', '\x11', tcp4), "192.0.2.1:40000");
  expect_source(v2('\x21', '\x21', tcp6), "[2001:db8::1]:40000");
}

TEST(ProxyV2, PassesOverTlvs) {
  const std::string authority = "\x02"s + be16(11) + "example.org";
  const std::string unknown = "\xe0"s + be16(0);
  expect_source(v2('\x21', '\x11', tcp4 + authority + unknown), "192.0.2.1:40000");
  const std::string big = "\x04"s + be16(4096 - 12 - 3) + std::string(4096 - 12 - 3, '\0');
  expect_source(v2('\x21', '\x11', tcp4 + big), "192.0.2.1:40000");
}

TEST(ProxyV2, MayKnowNothing) {
  expect_no_source(v2('\x20', '\x00', ""));
  expect_no_source(v2('\x20', '\x11', tcp4));
  expect_no_source(v2('\x20', '\x77', "rubbish"));  // LOCAL: the rest means nothing
  expect_no_source(v2('\x21', '\x00', ""));
  expect_no_source(v2('\x21', '\x12', tcp4));
  expect_no_source(v2('\x21', '\x31', std::string(216, '\0')));
}

TEST(ProxyV2, ChecksTheChecksum) {
  // Computed beside this program (CRC-32C of the header, the four octets zero).
  const std::string sum = "\x03"s + be16(4);
  const std::string good = v2('\x21', '\x11', tcp4 + sum + "\xe4\x43\x5b\xe4"s);
  expect_source(good, "192.0.2.1:40000");
  std::string bad = good;
  bad.back() = static_cast<char>(bad.back() ^ 1);
  EXPECT_EQ(read(bad).error(), ProxyError::invalid);
  EXPECT_EQ(read(v2('\x21', '\x11', tcp4 + "\x03"s + be16(3) + "abc")).error(), ProxyError::invalid);
}

TEST(ProxyV2, RefusesEverythingElse) {
  const std::string too_long = signature + "\x21\x11" + be16(4097);
  for (const std::string& header :
       {v2('\x11', '\x11', tcp4), v2('\x31', '\x11', tcp4), v2('\x22', '\x11', tcp4), v2('\x21', '\x13', tcp4),
        v2('\x21', '\x41', tcp4), v2('\x21', '\x11', tcp4.substr(1)), v2('\x21', '\x21', tcp6.substr(1)),
        v2('\x21', '\x31', tcp6), v2('\x21', '\x11', tcp4 + "\x02"),
        v2('\x21', '\x11', tcp4 + "\x02"s + be16(5) + "four"), too_long, signature.substr(0, 11) + "x"}) {
    const auto read_header = read_proxy_header(header);
    ASSERT_FALSE(read_header) << testing::PrintToString(header);
    EXPECT_EQ(read_header.error(), ProxyError::invalid) << testing::PrintToString(header);
  }
}

TEST(IsProxyHeader, KnowsBothVersions) {
  EXPECT_TRUE(is_proxy_header("PROXY TCP4"));
  EXPECT_TRUE(is_proxy_header(signature));
  EXPECT_FALSE(is_proxy_header("PROXYTCP4"));
  EXPECT_FALSE(is_proxy_header("\r\n\r\n"));
  EXPECT_FALSE(is_proxy_header(""));
}

// What is written reads as it was meant, to the last octet.
void expect_round_trip(const std::string& source, const std::string& destination) {
  const auto from = SocketAddress::parse(source).value();
  const auto to = SocketAddress::parse(destination).value();
  for (const ProxyVersion version : {ProxyVersion::v1, ProxyVersion::v2}) {
    const std::string header = proxy_header(version, from, to);
    const auto read_header = read(header);
    ASSERT_TRUE(read_header) << testing::PrintToString(header);
    EXPECT_EQ(read_header->source, from);
    EXPECT_EQ(read_header->destination, to);
    EXPECT_EQ(read_header->consumed, header.size());
  }
}

TEST(ProxyWriter, IsReadAsItWasMeant) {
  expect_round_trip("192.0.2.1:40000", "192.0.2.2:25");
  expect_round_trip("[2001:db8::1]:65535", "[2001:db8::ffff]:1");
  expect_round_trip("192.0.2.1:40000", "[2001:db8::ffff]:25");
  expect_round_trip("[2001:db8:1:2:3:4:5:6]:0", "198.51.100.1:25");
}

TEST(ProxyWriter, WritesWhatTheSpecificationSays) {
  const auto source = SocketAddress::parse("192.0.2.1:40000").value();
  const auto destination = SocketAddress::parse("192.0.2.2:25").value();
  EXPECT_EQ(proxy_header(ProxyVersion::v1, source, destination), "PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n");
  EXPECT_EQ(proxy_header(ProxyVersion::v2, source, destination), v2('\x21', '\x11', tcp4));
  EXPECT_EQ(own_proxy_header(ProxyVersion::v1), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(own_proxy_header(ProxyVersion::v2), v2('\x20', '\0', ""));
  expect_no_source(own_proxy_header(ProxyVersion::v1));
  expect_no_source(own_proxy_header(ProxyVersion::v2));
}

}  // namespace
}  // namespace sallyport::smtp
