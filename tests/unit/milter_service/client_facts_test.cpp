#include "gateway/milter_service/client_facts.h"

#include <gtest/gtest.h>

namespace sallyport::milter_service {
namespace {

using milter::Connect;
using milter::Verb;

TEST(ClientOfAnMta, HasTheAddressOfConnect) {
  const auto client = client_of(Connect{"a.example", *SocketAddress::parse("[2001:db8::1]:25"), {}}, {});
  EXPECT_EQ(client.ip.to_string(), "2001:db8::1");
  EXPECT_EQ(client.port, 25);
  EXPECT_EQ(client.rdns, "a.example");
  EXPECT_TRUE(client.fcrdns);
}

TEST(ClientOfAnMta, HasThatOfTheMacroOtherwise) {
  MacroValues macros;
  macros.take({Verb::connect, {{"{client_addr}", "IPv6:2001:db8::2"}, {"{client_port}", "99999"}}});
  const auto client = client_of(Connect{"unknown", {}, {}}, macros);
  EXPECT_EQ(client.ip.to_string(), "2001:db8::2");
  EXPECT_EQ(client.port, 0);
  EXPECT_EQ(client.rdns, "");
  macros.take({Verb::connect, {{"{client_addr}", "nonsense"}, {"{client_port}", "17"}}});
  const auto local = client_of(Connect{"localhost", {}, "/socket"}, macros);
  EXPECT_EQ(local.ip.to_string(), "127.0.0.1");
  EXPECT_EQ(local.port, 17);
}

// A name that is not confirmed is none (S35: judged as if a stranger had said it).
TEST(ClientOfAnMta, HasAConfirmedNameOnly) {
  const SocketAddress address = *SocketAddress::parse("192.0.2.1:1");
  MacroValues macros;
  macros.take({Verb::connect, {{"{client_ptr}", "liar.example"}}});
  for (const char* host : {"", "unknown", "[192.0.2.1]", "[IPv6:::1]", "a b.example", "-", "..", "\xe4.example"})
    EXPECT_EQ(client_of(Connect{host, address, {}}, macros).rdns, "") << host;
  macros.take({Verb::connect, {{"{client_ptr}", "true.example"}, {"{client_resolve}", "OK"}}});
  EXPECT_EQ(client_of(Connect{"", address, {}}, macros).rdns, "true.example");
}

TEST(TlsOfAnMta, IsThereWithAVersion) {
  MacroValues macros;
  EXPECT_FALSE(tls_of(macros));
  macros.take({Verb::helo,
               {{"{tls_version}", "TLSv1.3"}, {"{cipher_bits}", "x"}, {"{verify}", "OK"}, {"{cert_subject}", "c"}}});
  const auto tls = tls_of(macros);
  ASSERT_TRUE(tls);
  EXPECT_EQ(tls->bits, 0);
  EXPECT_TRUE(tls->client_is_verified);
  EXPECT_EQ(tls->client_subject, "c");
}

}  // namespace
}  // namespace sallyport::milter_service
