// Clients that mean no good, in front of a session: it ends, what they did is counted once and logged once (threats.md
// T1 to T6, I8). What the engine makes of their octets in detail is tested with it.
#include <gtest/gtest.h>

#include "tests/unit/session/dialogue_client.h"
#include "tests/unit/session/raw_tls_client.h"
#include "tests/unit/tls/handmade.h"

namespace sallyport::session {
namespace {

using tls::client_hello;
using tls::usual_extensions;

// I8: this, once, and no other violation.
void expect_recorded_once(const World& world, Violation kind) {
  for (std::size_t i = 0; i < std::size_t(Violation::count_); ++i) {
    auto each = Violation(i);
    EXPECT_EQ(world.counters.get(each), each == kind ? 1u : 0u) << name(each);
  }
  std::size_t lines = 0;
  for (const LoggedEvent& event : world.log.events) {
    bool is_it = event.event == "violation" && event.field("kind") == name(kind);
    if (!is_it) continue;
    ++lines;
    EXPECT_EQ(event.field("ip"), "192.0.2.1");
    EXPECT_NE(event.field("id"), "");
  }
  EXPECT_EQ(lines, 1u);
}

// A session that was refused its handshake: not one octet of SMTP was said, and none was listened to.
void expect_refused(World& world, Violation kind) {
  EXPECT_EQ(world.say("EHLO client.example\r\nMAIL FROM:<ann@example.org>\r\n").find("250"), std::string::npos);
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Total::tls_handshakes), 0u);
  EXPECT_EQ(world.counters.get(Total::transactions), 0u);
  expect_recorded_once(world, kind);
}

void open_door_for_tls(World& world) {
  world.listener.tls = common_server_context();
  world.listener.settings.tls = config::ListenTls::implicit;
}

TEST(TlsAbuse, WhatIsTooWeakIsRefused) {
  for (std::uint16_t suite : {0x0001, 0x0005, 0x000a, 0x0018, 0x0017, 0xc018}) {
    World world;
    RawTlsClient client(world);
    client.send_raw(client_hello(TLS1_2_VERSION, {suite}, usual_extensions()));
    EXPECT_EQ(world.heard(), tls::alert_record(SSL_AD_HANDSHAKE_FAILURE));
    expect_refused(world, Violation::tls_refused);
  }
  for (int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    World world;
    RawTlsClient client(world);
    client.send_raw(client_hello(version, {0xc02b}, usual_extensions()));
    EXPECT_EQ(world.heard().substr(5), std::string("\x02") + char(SSL_AD_PROTOCOL_VERSION));
    expect_refused(world, Violation::tls_refused);
  }
}

TEST(TlsAbuse, WhatIsTooWeakIsRefusedAfterStarttlsToo) {
  World world;
  world.listener.tls = common_server_context();
  world.greet();
  EXPECT_EQ(world.say("STARTTLS\r\n").substr(0, 4), "220 ");
  EXPECT_EQ(world.say(client_hello(TLS1_2_VERSION, {0x0005}, usual_extensions())),
            tls::alert_record(SSL_AD_HANDSHAKE_FAILURE));
  expect_refused(world, Violation::tls_refused);
}

std::pair<char, std::size_t> record_type_and_size(std::string_view record) {
  return {record.empty() ? '\0' : record.front(), record.size()};
}
// The size of a record of AES-GCM in TLS 1.2: header, nonce and tag around the content.
std::size_t sealed(std::size_t content_octets) { return 5 + 8 + content_octets + 16; }

TEST(TlsAbuse, RenegotiationIsRefusedTwiceInPeaceAndThenTheSessionEnds) {
  World world;
  RawTlsClient client(world);
  SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(client.context(), "ECDHE-ECDSA-AES128-GCM-SHA256");
  ASSERT_TRUE(client.shake());
  EXPECT_EQ(client.heard().substr(0, 4), "220 ");
  tls::RecordForger forger(client.ssl());
  std::string hello = tls::client_hello_message(TLS1_2_VERSION, {0xc02b}, usual_extensions());
  for (int attempt = 1; attempt <= 2; ++attempt) {
    // What is answered stays encrypted: OpenSSL's client would give up at the first of these warnings.
    EXPECT_EQ(record_type_and_size(world.say(forger.record(tls::handshake_type, hello))),
              std::pair(tls::alert_type, sealed(2)));
    std::string_view ok = "250 2.0.0 Ok\r\n";
    EXPECT_EQ(record_type_and_size(world.say(forger.record(tls::data_type, "NOOP\r\n"))),
              std::pair(tls::data_type, sealed(ok.size())));
    EXPECT_FALSE(world.is_over());
    EXPECT_EQ(world.counters.get(Violation::tls_error), 0u);
  }
  std::string last = world.say(forger.record(tls::handshake_type, hello) + forger.record(tls::data_type, "NOOP\r\n"));
  EXPECT_EQ(record_type_and_size(last), std::pair(tls::alert_type, sealed(2)));
  EXPECT_TRUE(world.is_over());
  expect_recorded_once(world, Violation::tls_error);
}

TEST(TlsAbuse, AFloodOfKeyUpdatesEndsTheSession) {
  World world;
  RawTlsClient client(world);
  ASSERT_TRUE(client.shake());
  int updates = 0;
  while (!world.is_over() && updates < 200) {
    SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(client.ssl());
    client.heard();
    ++updates;
  }
  EXPECT_TRUE(world.is_over());
  EXPECT_GT(updates, 30);
  EXPECT_LT(updates, 40);
  expect_recorded_once(world, Violation::tls_error);
}

// T3: the deadline is one for the whole handshake, whatever trickles in meanwhile.
void trickle(World& world, RawTlsClient& client, std::chrono::seconds until_end) {
  std::string hello = client_hello(TLS1_2_VERSION, {0xc02b}, usual_extensions());
  for (std::chrono::seconds passed{0}; passed < until_end; passed += std::chrono::seconds(1)) {
    EXPECT_FALSE(world.is_over()) << passed.count();
    client.send_raw(hello.substr(static_cast<std::size_t>(passed.count()), 1));
    world.advance(std::chrono::seconds(1));
  }
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.heard(), "");
}

TEST(TlsAbuse, AHandshakeThatTricklesIsEndedAfterThirtySeconds) {
  World world;
  RawTlsClient client(world);
  trickle(world, client, std::chrono::seconds(30));
  expect_recorded_once(world, Violation::tls_stall);
}

TEST(TlsAbuse, UnderLoadItIsEndedAfterTen) {
  World world;
  world.pressure.all = io::Pressure::Level::high;
  RawTlsClient client(world);
  trickle(world, client, std::chrono::seconds(10));
  expect_recorded_once(world, Violation::tls_stall);
}

// The second flight may stall as well as the first.
TEST(TlsAbuse, AHandshakeThatStallsInItsMiddleIsEnded) {
  World world;
  RawTlsClient client(world);
  SSL_do_handshake(client.ssl());
  client.pass_on();
  world.advance(std::chrono::seconds(29));
  EXPECT_FALSE(world.is_over());
  world.advance(std::chrono::seconds(1));
  EXPECT_TRUE(world.is_over());
  expect_recorded_once(world, Violation::tls_stall);
}

TEST(TlsAbuse, AHelloWithoutEndIsCutOff) {
  std::string endless = "\x01" + tls::number(60'000, 3) + "\x03\x03" + std::string(60'000, '\0');
  std::string huge = "\x01" + tls::number(0xffffff, 3) + "\x03\x03" + std::string(200'000, '\0');
  for (const std::string& records : {tls::in_records(endless, 1), tls::in_records(huge, 16'384)}) {
    World world;
    open_door_for_tls(world);
    world.connect();
    world.say(records);
    expect_refused(world, Violation::tls_error);
  }
}

TEST(TlsAbuse, AHelloInRecordsOfOneOctetIsServed) {
  World world;
  RawTlsClient client(world);
  std::string message = tls::client_hello_message(TLS1_2_VERSION, {0xc02b}, usual_extensions());
  client.send_raw(tls::in_records(message, 1));
  EXPECT_NE(world.heard().find("mx.example.test"), std::string::npos) << "our certificate";
  EXPECT_FALSE(world.is_over());
}

// T5: a name is for choosing the certificate; it is nobody's label.
TEST(TlsAbuse, TheNameAskedForIsInNoMetric) {
  for (const char* name : {"unknown.example", "mx.example.test", "<script>alert(1)</script>", "a b"}) {
    World world;
    RawTlsClient client(world);
    SSL_set_tlsext_host_name(client.ssl(), name);
    ASSERT_TRUE(client.shake());
    EXPECT_EQ(client.heard().substr(0, 4), "220 ");
    EXPECT_NE(client.say("EHLO client.example\r\n").find("250"), std::string::npos);
    for (const auto& [metric, value] : world.counters.all()) EXPECT_EQ(metric.find(name), std::string::npos) << metric;
  }
}

TEST(TlsAbuse, AProtocolThatIsNotSmtpIsRefused) {
  struct Case {
    std::string_view offered;
    bool served;
  };
  for (auto [offered, served] : {Case{"\x02h2\x08http/1.1", false}, Case{"\x02h2\x04smtp", true}, Case{"", true}}) {
    World world;
    RawTlsClient client(world);
    SSL_set_alpn_protos(client.ssl(), reinterpret_cast<const unsigned char*>(offered.data()),
                        static_cast<unsigned>(offered.size()));
    EXPECT_EQ(client.shake(), served);
    if (served) {
      EXPECT_EQ(client.heard().substr(0, 4), "220 ");
    } else {
      EXPECT_EQ(client.alert(), SSL_AD_NO_APPLICATION_PROTOCOL);
      expect_refused(world, Violation::tls_error);
    }
  }
}

// A record that is none, outside of any mail.
TEST(TlsAbuse, PlaintextBetweenCommandsEndsTheSession) {
  for (bool is_in_mail : {false, true}) {
    World world;
    RawTlsClient client(world);
    ASSERT_TRUE(client.shake());
    client.say("EHLO client.example\r\n");
    if (is_in_mail) EXPECT_EQ(client.say("MAIL FROM:<ann@example.org>\r\n"), "250 2.1.0 Ok\r\n");
    client.send_raw("RCPT TO:<bob@example.com>\r\n");
    EXPECT_EQ(client.heard(), "");
    EXPECT_EQ(client.alert(), SSL_AD_PROTOCOL_VERSION) << "for text read as the head of a record";
    EXPECT_TRUE(world.is_over());
    EXPECT_EQ(world.counters.get(Violation::tls_error), 1u);
    EXPECT_EQ(world.counters.get(Fault::client_lost), 0u);
    EXPECT_EQ(world.log.find("kind=tls_error").empty(), is_in_mail);
    EXPECT_EQ(world.log.find("check=tls_error").empty(), !is_in_mail);
  }
}

// Leaving is no violation, with or without a word.
TEST(TlsAbuse, WhoLeavesBetweenMailsHasDoneNothing) {
  for (bool says_so : {false, true}) {
    World world;
    RawTlsClient client(world);
    ASSERT_TRUE(client.shake());
    client.say("EHLO client.example\r\n");
    if (says_so) SSL_shutdown(client.ssl());
    client.pass_on();
    world.client->end();
    world.heard();
    EXPECT_TRUE(world.is_over());
    for (std::size_t i = 0; i < std::size_t(Violation::count_); ++i) EXPECT_EQ(world.counters.get(Violation(i)), 0u);
  }
}

}  // namespace
}  // namespace sallyport::session
