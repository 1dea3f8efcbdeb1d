// Names under which lists are asked and shown.
#include "policies/lists/list_name.h"

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

TEST(PublicZoneName, ShowsWellKnownLists) {
  for (const char* zone :
       {"zen.spamhaus.org", "bl.spamcop.net", "b.barracudacentral.org", "list.dnswl.org", "multi.surbl.org",
        "dnsbl-1.uceprotect.net", "ix.dnsbl.manitu.net", "psbl.surriel.com", "rep.mailspike.net",
        "ips.backscatterer.org", "zen.dq.spamhaus.net", "combined.mail.abusix.zone", "zen.dnsbl.example",
        "white.dnsbl.example", "list2.example", "averylongnameofalistwithoutdigits.example", "localhost"}) {
    EXPECT_EQ(public_zone_name(zone), zone);
  }
}

TEST(PublicZoneName, HidesCustomersKeysWhateverTheyLookLike) {
  for (const char* key :
       {"abcdefghijklmnopqrstuv2wxy", "0123456789abcdef0123456789abcdef", "short", "x", "48151623", "7", "cust_7719ab",
        "7c1d9a44-02be-4f6a-8f13-6b0e5d2c9a71", "hunter", "acme-inc", "blx", "zen2", "xn--bcher-kva"}) {
    const std::string in_front(key);
    EXPECT_EQ(public_zone_name(in_front + ".paid.example"), "paid.example");
    EXPECT_EQ(public_zone_name(in_front + ".zen.dq.spamhaus.net"), "zen.dq.spamhaus.net");
    EXPECT_EQ(public_zone_name("_file." + in_front + ".hbl.dq.spamhaus.net"), "hbl.dq.spamhaus.net");
    EXPECT_EQ(public_zone_name("zen." + in_front + ".paid.example"), "paid.example") << "in the middle";
    EXPECT_EQ(public_zone_name(in_front + ".of.two." + in_front + ".bl.paid.co.uk"), "bl.paid.co.uk");
    EXPECT_EQ(public_zone_name(in_front + ".duckdns.org"), "duckdns.org") << "a company's customers are no registry's";
  }
}

TEST(PublicZoneName, HidesKeysInAZoneOfOnesOwn) {
  EXPECT_EQ(public_zone_name("48151623.rbl"), "rbl");
  EXPECT_EQ(public_zone_name("q4wz81mxk20dh7s9yt3bn5vc6a.rbl"), "rbl");
  EXPECT_EQ(public_zone_name("0123456789abcdef0123456789abcdef"), "0123456789abcdef0123456789abcdef") << "all there is";
}

}  // namespace
}  // namespace sallyport::policies
