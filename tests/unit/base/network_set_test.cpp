// Sets of networks, compared with asking each network.
#include "gateway/base/network_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sallyport {
namespace {

IpAddress random_address(std::mt19937& random, bool is_v4) {
  // Few different octets, so that addresses meet the networks.
  const auto octet = [&] { return static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 2 * 255); };
  if (is_v4) return IpAddress::v4({octet(), octet(), octet(), octet()});
  std::array<std::uint8_t, 16> octets{};
  for (std::uint8_t& one : octets) one = octet();
  octets[0] = 0x20;
  return IpAddress::v6(octets);
}

TEST(NetworkSet, SaysWhatTheNetworksSay) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<IpNetwork> networks;
    for (std::size_t i = random() % 12; i > 0; --i) {
      const bool is_v4 = random() % 2 == 0;
      networks.push_back(
          IpNetwork::of(random_address(random, is_v4), static_cast<unsigned>(random() % (is_v4 ? 33 : 129))));
    }
    const NetworkSet set(networks);
    for (int i = 0; i < 200; ++i) {
      IpAddress address = random_address(random, random() % 2 == 0);
      if (!networks.empty() && i % 4 == 0) address = networks[random() % networks.size()].base();
      const bool expected = std::any_of(networks.begin(), networks.end(),
                                        [&](const IpNetwork& network) { return network.contains(address); });
      EXPECT_EQ(set.contains(address), expected) << address.to_string();
    }
  }
}

TEST(NetworkSet, KnowsTheEdges) {
  const NetworkSet all(std::vector{*IpNetwork::parse("0.0.0.0/0")});
  EXPECT_TRUE(all.contains(*IpAddress::parse("255.255.255.255")));
  EXPECT_TRUE(all.contains(*IpAddress::parse("0.0.0.0")));
  EXPECT_FALSE(all.contains(*IpAddress::parse("2001:db8::1")));
  EXPECT_TRUE(all.contains(*IpAddress::parse("::ffff:192.0.2.1"))) << "an IPv4 address";
  EXPECT_FALSE(NetworkSet().contains(*IpAddress::parse("192.0.2.1")));
}

}  // namespace
}  // namespace sallyport
