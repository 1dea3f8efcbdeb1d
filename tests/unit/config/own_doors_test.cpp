#include "gateway/config/own_doors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

const std::vector<IpAddress> ours{*IpAddress::parse("192.0.2.1"), *IpAddress::parse("2001:db8::1")};

bool leads(const char* server, const char* listener) {
  return leads_to(*SocketAddress::parse(server), *SocketAddress::parse(listener), ours);
}

TEST(OwnDoors, AreAddressesThatReachTheListener) {
  EXPECT_TRUE(leads("192.0.2.1:25", "192.0.2.1:25"));
  EXPECT_TRUE(leads("192.0.2.1:25", "0.0.0.0:25"));
  EXPECT_TRUE(leads("192.0.2.1:25", "[::]:25"));
  EXPECT_TRUE(leads("[2001:db8::1]:25", "[::]:25"));
  EXPECT_TRUE(leads("127.0.0.77:25", "0.0.0.0:25"));
  EXPECT_TRUE(leads("[::1]:25", "[::]:25"));
  EXPECT_TRUE(leads("[::ffff:192.0.2.1]:25", "[::]:25"));
  EXPECT_TRUE(leads("0.0.0.0:25", "127.0.0.1:25"));
  EXPECT_TRUE(leads("[::]:25", "[::1]:25"));
}

TEST(OwnDoors, AreNotOthers) {
  EXPECT_FALSE(leads("192.0.2.1:26", "192.0.2.1:25"));
  EXPECT_FALSE(leads("192.0.2.2:25", "[::]:25"));
  EXPECT_FALSE(leads("192.0.2.1:25", "127.0.0.1:25"));
  EXPECT_FALSE(leads("127.0.0.2:25", "127.0.0.1:25"));
  EXPECT_FALSE(leads("[::1]:25", "0.0.0.0:25"));
  EXPECT_FALSE(leads("[2001:db8::1]:25", "0.0.0.0:25"));
  EXPECT_FALSE(leads("0.0.0.0:25", "192.0.2.1:25"));
}

TEST(OwnDoors, AreNamedWithTheirPlace) {
  const Outcome outcome = load_text(
      "hostname = \"mx1.example.com\"\n"
      "domains = [\"example.com\"]\n"
      "[[listen]]\n"
      "address = \"0.0.0.0:2525\"\n"
      "[upstreams.default]\n"
      "servers = [\"192.0.2.9:2525\", \"192.0.2.1:2525\"]\n");
  ASSERT_TRUE(outcome.errors.empty());
  const ConfigErrors errors = find_own_doors(outcome.loaded, "/etc/m.toml", ours);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].at.line, 6u);
  EXPECT_THAT(errors[0].message, testing::HasSubstr("192.0.2.1:2525 is this gateway's own listener 0.0.0.0:2525"));
}

}  // namespace
}  // namespace sallyport::config
