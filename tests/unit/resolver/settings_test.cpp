#include "gateway/resolver/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::resolver {
namespace {

using testing::ElementsAre;

SocketAddress server(std::string_view address) { return {*IpAddress::parse(address), 53}; }

TEST(ResolvConf, NamesServers) {
  auto servers = servers_of_resolv_conf(
      "# comment\n"
      "domain example.org\n"
      "search example.org example.net\n"
      "nameserver 192.0.2.53\n"
      "  nameserver\t2001:db8::53   # the other\r\n"
      "; nameserver 192.0.2.54\n"
      "options timeout:1");
  EXPECT_THAT(servers, ElementsAre(server("192.0.2.53"), server("2001:db8::53")));
}

TEST(ResolvConf, CountsNoMoreThanThree) {
  auto servers =
      servers_of_resolv_conf("nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n");
  EXPECT_THAT(servers, ElementsAre(server("10.0.0.1"), server("10.0.0.2"), server("10.0.0.3")));
}

TEST(ResolvConf, PassesOverWhatIsNoAddress) {
  auto servers = servers_of_resolv_conf(
      "nameserver\nnameserver ns.example\nnameserver fe80::1%eth0\nnameservers 10.0.0.1\n"
      "nameserver 10.0.0.9");
  EXPECT_THAT(servers, ElementsAre(server("10.0.0.9")));
}

TEST(ResolvConf, WithoutOneItIsThisMachine) {
  EXPECT_THAT(servers_of_resolv_conf(""), ElementsAre(server("127.0.0.1")));
  EXPECT_THAT(servers_of_resolv_conf("search example.org\n"), ElementsAre(server("127.0.0.1")));
}

}  // namespace
}  // namespace sallyport::resolver
