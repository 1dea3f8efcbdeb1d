// The client's address, as a filter gets it.
#include "gateway/milter_library/connection_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>

namespace sallyport::milter_library {
namespace {

using namespace std::string_literals;

std::string shown(std::string_view data) {
  const auto connection = read_connection_address(data);
  if (!connection) return "malformed";
  const std::string host(connection->host);
  if (!connection->is_known) return host + " unknown";
  char text[INET6_ADDRSTRLEN] = "";
  if (connection->address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const ::sockaddr_in&>(connection->address);
    return host + ' ' + ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text) + ' ' +
           std::to_string(ntohs(v4.sin_port));
  }
  if (connection->address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const ::sockaddr_in6&>(connection->address);
    return host + ' ' + ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text) + ' ' +
           std::to_string(ntohs(v6.sin6_port));
  }
  return host + ' ' + reinterpret_cast<const ::sockaddr_un&>(connection->address).sun_path;
}

TEST(ConnectionAddress, OfEachFamily) {
  EXPECT_EQ(shown("a.example\0004\x30\x39"s + "192.0.2.1\0"s), "a.example 192.0.2.1 12345");
  EXPECT_EQ(shown("a\0006\0\x19"s + "2001:db8::1\0"s), "a 2001:db8::1 25");
  EXPECT_EQ(shown("a\0006\0\x19IPv6:2001:db8::1\0"s), "a 2001:db8::1 25");
  EXPECT_EQ(shown("a\0006\0\x19::ffff:192.0.2.1\0"s), "a ::ffff:192.0.2.1 25");  // not made IPv4
  EXPECT_EQ(shown("a\0L\0\0/run/socket\0"s), "a /run/socket");
  EXPECT_EQ(shown("a\0U"s), "a unknown");
  EXPECT_EQ(shown("a\0Uanything"s), "a unknown");
}

TEST(ConnectionAddress, ThatIsNone) {
  for (const std::string& data : {""s, "a"s, "a\0"s, "a\0004"s, "a\0004\0"s, "a\0004\0\x19"s, "a\0004\0\x19no end"s,
                                  "a\0004\0\x19x\0"s, "a\0004\0\x19::1\0"s, "a\0006\0\x19"s + "1.2.3.4\0"s,
                                  "a\0Z\0\x19"s + "1.2.3.4\0"s, "a\0L\0\0"s + std::string(108, 'x') + '\0'})
    EXPECT_EQ(shown(data), "malformed");
  EXPECT_EQ(shown("a\0L\0\0"s + std::string(107, 'x') + '\0'), "a " + std::string(107, 'x'));
}

}  // namespace
}  // namespace sallyport::milter_library
