#include <gtest/gtest.h>

#include "gateway/dns/wire.h"
#include "tests/support/dns_packet.h"

namespace sallyport::dns {
namespace {

using support::dns_name;
using support::dns_number16;
using support::question_of;

TEST(WriteQuery, IsAHeaderAndAQuestion) {
  QueryOptions options;
  options.id = 0xbeef;
  options.udp_payload = 0;
  auto packet = write_query({"mx.example.org", Type::MX}, options);
  ASSERT_TRUE(packet);
  std::string flags_rd = dns_number16(0x0100);
  std::string counts = dns_number16(1) + dns_number16(0) + dns_number16(0) + dns_number16(0);
  EXPECT_EQ(*packet,
            dns_number16(0xbeef) + flags_rd + counts + dns_name("mx.example.org") + dns_number16(15) + dns_number16(1));
}

TEST(WriteQuery, OffersEdns) {
  auto packet = write_query({"example.org", Type::TXT}, QueryOptions{});
  ASSERT_TRUE(packet);
  std::string opt = dns_name("") + dns_number16(41) + dns_number16(1232) + support::dns_number32(0) + dns_number16(0);
  EXPECT_TRUE(packet->ends_with(opt));
  EXPECT_TRUE(question_of(*packet).has_edns);
}

TEST(WriteQuery, GivesEachLetterItsBit) {
  QueryOptions options;
  options.case_bits = 0b1011;
  auto packet = write_query({"a1b-cd.ef", Type::A}, options);
  ASSERT_TRUE(packet);
  EXPECT_EQ(question_of(*packet).name, "A1B-cD.ef");
  EXPECT_EQ(apply_case("a1b-cd.ef", 0b1011), "A1B-cD.ef");
}

TEST(WriteQuery, UsesTheBitsAgainAfterTheSixtyFourth) {
  std::string name = std::string(63, 'a') + "." + std::string(3, 'a');
  EXPECT_EQ(apply_case(name, 1), "A" + std::string(62, 'a') + ".aAa");
}

TEST(WriteQuery, TakesNamesUpToTheBounds) {
  std::string label(63, 'x');
  std::string longest = label + "." + label + "." + label + "." + std::string(61, 'x');
  ASSERT_EQ(longest.size(), 253u);
  EXPECT_TRUE(write_query({longest, Type::A}, QueryOptions{}));
  EXPECT_TRUE(write_query({"", Type::NS}, QueryOptions{}));
  for (const std::string& name :
       {longest + "x", label + "x.org", std::string("a..b"), std::string(".a"), std::string("a."), std::string(".")}) {
    EXPECT_FALSE(write_query({name, Type::A}, QueryOptions{})) << name;
    EXPECT_FALSE(is_askable(name)) << name;
  }
}

// A local part in an SPF macro can bring any octet into a name.
TEST(WriteQuery, TakesOctetsAsTheyAre) {
  std::string odd = std::string("a\\b \0\xff", 6) + ".example";
  auto packet = write_query({odd, Type::A}, QueryOptions{});
  ASSERT_TRUE(packet);
  EXPECT_EQ(question_of(*packet).name, odd);
  EXPECT_EQ(apply_case(odd, 0), "a\\\\b\\032\\000\\255.example");
}

}  // namespace
}  // namespace sallyport::dns
