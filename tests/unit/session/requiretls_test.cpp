// REQUIRETLS (RFC 8689; threats.md T12): offered only where it can be kept, kept all the way, refused otherwise.
#include <gtest/gtest.h>

#include "tests/unit/session/dialogue_client.h"
#include "tests/unit/session/world.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::session {
namespace {

constexpr std::string_view ehlo_with = "250-upstream.example\r\n250-STARTTLS\r\n250-REQUIRETLS\r\n250 PIPELINING\r\n";
constexpr std::string_view ehlo_without = "250-upstream.example\r\n250-STARTTLS\r\n250 PIPELINING\r\n";
constexpr std::string_view mail = "MAIL FROM:<ann@example.org> REQUIRETLS\r\n";

class RequireTls : public testing::Test {
 protected:
  RequireTls() {
    world.upstream.tls = common_server_context();
    world.upstream.replies["STARTTLS"] = "220 2.0.0 go\r\n";
    world.upstream.replies["EHLO"] = ehlo_with;
    reach_upstream_with(tls::UpstreamTls::verify);
  }
  void reach_upstream_with(tls::UpstreamTls mode) {
    tls::ClientTlsSettings settings;
    settings.mode = mode;
    settings.name = "mx.example.test";
    settings.ca_file = tls::common_certificates().ecdsa.chain;
    world.settings.upstreams["default"].tls = settings;
    world.upstream_tls["default"] = tls::make_client_context(settings).value();
  }
  // EHLO of a client under TLS.
  std::string greet() {
    client = connect_over_tls(world, false);
    client->heard();
    return client->say("EHLO client.example\r\n");
  }
  void expect_not_offered() {
    EXPECT_EQ(greet().find("REQUIRETLS"), std::string::npos);
    EXPECT_EQ(client->say(mail).substr(0, 10), "555 5.5.4 ");
    EXPECT_EQ(world.counters.get(Total::transactions), 0u);
  }

  World world;
  std::unique_ptr<DialogueClient> client;
};

TEST_F(RequireTls, IsOfferedUnderTlsAndPassedOn) {
  EXPECT_NE(greet().find("250-REQUIRETLS\r\n"), std::string::npos);
  EXPECT_EQ(client->say(mail), "250 2.1.0 Ok\r\n");
  EXPECT_EQ(client->say("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n");
  client->say("DATA\r\n");
  EXPECT_EQ(client->say("Subject: x\r\n\r\nhello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.upstream.stored.at(0).mail, "MAIL FROM:<ann@example.org> REQUIRETLS");
  // Only where it was asked for.
  client->say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
  client->say("DATA\r\n");
  client->say("Subject: x\r\n\r\nhello\r\n.\r\n");
  EXPECT_EQ(world.upstream.stored.at(1).mail, "MAIL FROM:<ann@example.org>");
}

TEST_F(RequireTls, IsNotOfferedInTheClear) {
  world.listener.tls = common_server_context();
  client = connect_in_the_clear(world);
  client->heard();
  std::string ehlo = client->say("EHLO client.example\r\n");
  EXPECT_NE(ehlo.find("STARTTLS"), std::string::npos);
  EXPECT_EQ(ehlo.find("REQUIRETLS"), std::string::npos);
  EXPECT_EQ(client->say(mail).substr(0, 10), "555 5.5.4 ");
}

TEST_F(RequireTls, IsNotOfferedWhenTheUpstreamHasItNot) {
  world.upstream.replies["EHLO"] = ehlo_without;
  expect_not_offered();
}

TEST_F(RequireTls, IsNotOfferedWhenTheUpstreamIsNotVerified) {
  reach_upstream_with(tls::UpstreamTls::require);
  expect_not_offered();
}

TEST_F(RequireTls, IsNotOfferedWhenOneOfSeveralHasItNot) {
  FakeUpstream other;
  other.tls = common_server_context();
  other.replies["STARTTLS"] = "220 2.0.0 go\r\n";
  other.replies["EHLO"] = ehlo_without;
  world.settings.upstreams["default"].servers.push_back(second_server);
  world.dialer.serve(second_server, [&](auto stream) { return other.serve(std::move(stream)); });
  expect_not_offered();
  client.reset();
}

TEST_F(RequireTls, IsRefusedAtTheRecipientWhenTheRouteHasLostIt) {
  EXPECT_NE(greet().find("REQUIRETLS"), std::string::npos);
  world.advance(std::chrono::seconds(70));  // the connections of the probes are gone
  world.upstream.replies["EHLO"] = ehlo_without;
  world.upstream.commands.clear();
  EXPECT_EQ(client->say(mail), "250 2.1.0 Ok\r\n");
  std::string refused = client->say("RCPT TO:<bob@example.com>\r\n");
  EXPECT_EQ(refused.substr(0, 11), "550 5.7.30 ") << refused;
  for (const std::string& command : world.upstream.commands) {
    EXPECT_FALSE(command.starts_with("MAIL")) << "nothing of it may go there";
  }
  EXPECT_EQ(world.counters.get(Violation::tls_error), 1u);
  EXPECT_EQ(client->say("DATA\r\n").substr(0, 10), "554 5.5.1 ");
  client->say("RSET\r\n");
  EXPECT_NE(world.log.find("check=tls_error"), "");
  // The same mail without the wish is welcome.
  EXPECT_EQ(client->say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n"),
            "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
}

}  // namespace
}  // namespace sallyport::session
