// Names under which lists are asked and shown.
#include "policies/dnsbl/list_name.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/base/address.h"

namespace sallyport::policies {
namespace {

std::string query(const char* ip, std::string_view zone) {
  return list_query_name(IpAddress::parse(ip)->octets(), zone).value_or("<none>");
}

TEST(ListQueryName, ReversesOctetsAndNibbles) {
  EXPECT_EQ(query("192.0.2.1", "zen.dnsbl.example"), "1.2.0.192.zen.dnsbl.example");
  EXPECT_EQ(query("2001:db8::1", "z"), "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.z");
  EXPECT_EQ(query("2001:db8:1:2:3:4:567:89ab", "example.com"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.example.com");
  EXPECT_EQ(query("::ffff:192.0.2.1", "z"), "1.2.0.192.z");
}

TEST(ListQueryName, IsNeverLongerThanANameCanBe) {
  const std::string fits = std::string(253 - 64, 'z');
  EXPECT_EQ(query("2001:db8::1", fits).size(), 253u);
  EXPECT_EQ(query("2001:db8::1", fits + "z"), "<none>");
  EXPECT_NE(query("192.0.2.1", fits + "z"), "<none>");
}

TEST(PublicZoneName, HidesCustomersKeys) {
  EXPECT_EQ(public_zone_name("zen.spamhaus.org"), "zen.spamhaus.org");
  EXPECT_EQ(public_zone_name("abcdefghijklmnopqrstuv2wxy.zen.dq.spamhaus.net"), "zen.dq.spamhaus.net");
  EXPECT_EQ(public_zone_name("short.zen.dq.spamhaus.net"), "zen.dq.spamhaus.net");
  EXPECT_EQ(public_zone_name("_file.abc.hbl.dq.spamhaus.net"), "hbl.dq.spamhaus.net");
  EXPECT_EQ(public_zone_name("zen.dq.spamhaus.net"), "zen.dq.spamhaus.net");
  EXPECT_EQ(public_zone_name("0123456789abcdef0123456789abcdef.combined.mail.list.example"),
            "combined.mail.list.example");
  EXPECT_EQ(public_zone_name("ip.0123456789abcdef0123.list.example"), "list.example");
}

TEST(PublicZoneName, KeepsLongNamesThatAreNoKeys) {
  EXPECT_EQ(public_zone_name("averylongnameofalistwithoutdigits.example"), "averylongnameofalistwithoutdigits.example");
  EXPECT_EQ(public_zone_name("list2.example"), "list2.example");
  EXPECT_EQ(public_zone_name("0123456789abcdef0123456789abcdef"), "0123456789abcdef0123456789abcdef");
}

}  // namespace
}  // namespace sallyport::policies
