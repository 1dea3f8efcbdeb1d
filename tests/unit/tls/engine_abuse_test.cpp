// Clients that mean no good, or know no better (threats.md T1, T2, T4).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "gateway/tls/engine.h"
#include "tests/unit/tls/engine_pair.h"
#include "tests/unit/tls/handmade.h"

namespace sallyport::tls {
namespace {

using Status = Engine::Status;

// A client that offers this and nothing else is refused: with an alert, and told apart from one that is broken.
void expect_refused(RawClient& client) {
  auto server = server_context()->make_engine();
  EXPECT_FALSE(client.shake(*server));
  EXPECT_TRUE(server->has_failed());
  EXPECT_TRUE(server->was_refused()) << server->failure();
  EXPECT_EQ(SSL_get_shutdown(client.ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN) << "no fatal alert";
}

TEST(Refuses, OldVersions) {
  for (int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    RawClient client;
    SSL_CTX_set_min_proto_version(client.context(), version);
    SSL_CTX_set_max_proto_version(client.context(), version);
    SSL_CTX_set_cipher_list(client.context(), "ALL:@SECLEVEL=0");
    expect_refused(client);
  }
}

TEST(Refuses, WeakCiphers) {
  for (const char* ciphers : {"aNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0", "AES128-SHA", "AES128-GCM-SHA256",
                              "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256"}) {
    RawClient client;
    SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
    ASSERT_EQ(SSL_CTX_set_cipher_list(client.context(), ciphers), 1) << ciphers;
    expect_refused(client);
  }
}

// What no library offers any more: export, NULL, RC4, DES and 3DES, anonymous, static RSA, static and finite-field
// Diffie-Hellman, CBC.
TEST(Refuses, SuitesOfThePast) {
  auto context = server_context();
  for (std::uint16_t suite :
       {0x0000, 0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0016, 0x0017,
        0x0018, 0x0019, 0x001b, 0x002f, 0x0034, 0x0035, 0x003b, 0x009c, 0x009d, 0x009e, 0x00a6, 0xc001, 0xc006,
        0xc007, 0xc008, 0xc009, 0xc010, 0xc011, 0xc012, 0xc013, 0xc015, 0xc016, 0xc017, 0xc018, 0xc023, 0xc027}) {
    auto server = context->make_engine();
    std::string hello = client_hello(TLS1_2_VERSION, {suite}, usual_extensions());
    std::string_view rest = hello;
    ASSERT_EQ(server->handshake(rest), Status::failed) << std::hex << suite;
    EXPECT_TRUE(server->was_refused()) << std::hex << suite << ": " << server->failure();
    EXPECT_EQ(server->take_output(), alert_record(SSL_AD_HANDSHAKE_FAILURE)) << std::hex << suite;
  }
  // It was the suite, and not the rest of that hello.
  auto server = context->make_engine();
  std::string hello = client_hello(TLS1_2_VERSION, {0x0005, 0xc02b}, usual_extensions());
  std::string_view rest = hello;
  EXPECT_EQ(server->handshake(rest), Status::want_input) << server->failure();
}

TEST(Refuses, VersionsOfThePast) {
  auto context = server_context();
  for (int version : {SSL3_VERSION, TLS1_VERSION, TLS1_1_VERSION}) {
    auto server = context->make_engine();
    std::string hello = client_hello(version, {0xc02b, 0xc009, 0x002f}, usual_extensions());
    std::string_view rest = hello;
    ASSERT_EQ(server->handshake(rest), Status::failed) << version;
    EXPECT_TRUE(server->was_refused()) << server->failure();
    // SSL 3 has no alert for versions.
    char description = version == SSL3_VERSION ? SSL_AD_HANDSHAKE_FAILURE : SSL_AD_PROTOCOL_VERSION;
    EXPECT_EQ(server->take_output().substr(5), std::string("\x02") + description) << version;
  }
}

TEST(Refuses, OtherGroups) {
  RawClient client;
  SSL_CTX_set1_groups_list(client.context(), "P-521");
  expect_refused(client);
}

TEST(Accepts, EachOfOurCiphersAndGroups) {
  auto context = server_context();
  for (const char* cipher :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"}) {
    RawClient client;
    SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(client.context(), cipher);
    auto server = context->make_engine();
    EXPECT_TRUE(client.shake(*server)) << cipher;
  }
  for (const char* cipher : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    RawClient client;
    SSL_CTX_set_ciphersuites(client.context(), cipher);
    auto server = context->make_engine();
    EXPECT_TRUE(client.shake(*server)) << cipher;
    EXPECT_EQ(server->info().cipher, cipher);
  }
  for (const char* group : {"X25519", "P-256", "P-384"}) {
    RawClient client;
    SSL_CTX_set1_groups_list(client.context(), group);
    auto server = context->make_engine();
    EXPECT_TRUE(client.shake(*server)) << group;
  }
}

class Renegotiation : public testing::Test {
 protected:
  Renegotiation() : server_(server_context()->make_engine()) {
    SSL_CTX_set_max_proto_version(client_.context(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(client_.context(), "ECDHE-ECDSA-AES128-GCM-SHA256");
    client_.ssl();
    EXPECT_TRUE(client_.shake(*server_));
    EXPECT_EQ(server_->take_output(), "");
    // As little of a ClientHello as tells what it is: it is refused before it is read.
    hello_ = client_hello_message(TLS1_2_VERSION, {0xc02b}, "");
  }

  RawClient client_;
  std::unique_ptr<Engine> server_;
  std::string hello_;
};

TEST_F(Renegotiation, IsRefusedTwiceInPeaceAndEndsTheConnectionAtTheThird) {
  RecordForger forger(client_.ssl());
  for (int attempt = 1; attempt <= 2; ++attempt) {
    Received received = receive(*server_, forger.record(handshake_type, hello_));
    ASSERT_EQ(received.status, Status::want_input) << server_->failure();
    EXPECT_EQ(server_->take_output().size(), 5u + 8 + 2 + 16);  // one warning
    EXPECT_EQ(receive(*server_, forger.record(data_type, "NOOP\r\n")).plain, "NOOP\r\n");
    EXPECT_EQ(server_->write("250 2.0.0 Ok\r\n"), Status::done);
    server_->take_output();
  }
  EXPECT_EQ(receive(*server_, forger.record(handshake_type, hello_)).status, Status::failed);
  EXPECT_EQ(server_->failure(), "too many renegotiations");
  EXPECT_EQ(receive(*server_, forger.record(data_type, "NOOP\r\n")).plain, "");
}

TEST_F(Renegotiation, OctetByOctetIsTheSame) {
  RecordForger forger(client_.ssl());
  std::string all;
  for (int attempt = 1; attempt <= 3; ++attempt) {
    all += forger.record(handshake_type, hello_);
    all += forger.record(data_type, "NOOP\r\n");
  }
  Received received = receive(*server_, all, 1);
  EXPECT_EQ(received.status, Status::failed);
  EXPECT_EQ(received.plain, "NOOP\r\nNOOP\r\n");
}

TEST_F(Renegotiation, WarningAlertsWithoutEndEndTheConnection) {
  RecordForger forger(client_.ssl());
  std::string no_renegotiation = "\x01\x64";
  Received received{Status::want_input, {}};
  int sent = 0;
  while (received.status == Status::want_input && sent < 100) {
    received = receive(*server_, forger.record(alert_type, no_renegotiation));
    ++sent;
  }
  EXPECT_EQ(received.status, Status::failed);
  EXPECT_LE(sent, 10);
}

class KeyUpdates : public testing::Test {
 protected:
  KeyUpdates() : server_(server_context()->make_engine()) { EXPECT_TRUE(client_.shake(*server_)); }

  Received update(int kind) {
    SSL_key_update(client_.ssl(), kind);
    SSL_do_handshake(client_.ssl());
    return client_.exchange(*server_);
  }

  RawClient client_;
  std::unique_ptr<Engine> server_;
};

TEST_F(KeyUpdates, AFewAreAnsweredAndTheOctetsGoOn) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(update(SSL_KEY_UPDATE_REQUESTED).status, Status::want_input);
  SSL_write(client_.ssl(), "NOOP\r\n", 6);
  EXPECT_EQ(client_.exchange(*server_).plain, "NOOP\r\n");
  server_->write("250 2.0.0 Ok\r\n");
  client_.give(server_->take_output());
  std::array<char, 100> reply{};
  EXPECT_EQ(SSL_read(client_.ssl(), reply.data(), static_cast<int>(reply.size())), 14);
}

TEST_F(KeyUpdates, AFloodEndsTheConnection) {
  for (int i = 0; i < 32; ++i) ASSERT_EQ(update(SSL_KEY_UPDATE_NOT_REQUESTED).status, Status::want_input);
  EXPECT_EQ(update(SSL_KEY_UPDATE_NOT_REQUESTED).status, Status::failed);
  EXPECT_EQ(server_->failure(), "too many key updates");
}

TEST_F(KeyUpdates, AreFreeForThoseWhoSendMuch) {
  std::string much(std::size_t{16} * 1024, 'x');
  for (int i = 0; i < 40; ++i) {
    for (int record = 0; record < 70; ++record) {
      SSL_write(client_.ssl(), much.data(), static_cast<int>(much.size()));
      ASSERT_EQ(client_.exchange(*server_).plain.size(), much.size());
    }
    ASSERT_EQ(update(SSL_KEY_UPDATE_NOT_REQUESTED).status, Status::want_input);
  }
}

// A ClientHello in records of one octet each, so long that it never ends.
std::string endless_hello() {
  return in_records("\x01" + number(60'000, 3) + "\x03\x03" + std::string(60'000, '\0'), 1);
}

TEST(HandshakeSize, IsBounded) {
  std::string records = endless_hello();
  for (std::size_t piece : {whole, std::size_t{1}, std::size_t{1000}}) {
    auto server = server_context()->make_engine();
    std::size_t taken = 0;
    auto status = Status::want_input;
    while (status == Status::want_input && taken < records.size()) {
      std::string_view part = std::string_view(records).substr(taken, piece);
      std::size_t octets = part.size();
      status = server->handshake(part);
      taken += octets - part.size();
    }
    EXPECT_EQ(status, Status::failed);
    EXPECT_EQ(taken, 64u * 1024);
    EXPECT_EQ(server->failure(), "handshake too large");
    std::string_view more = records;
    EXPECT_EQ(server->handshake(more), Status::failed);
  }
}

TEST(HandshakeSize, AFragmentedHelloWithinTheBoundIsServed) {
  RawClient client;
  auto server = server_context()->make_engine();
  SSL_do_handshake(client.ssl());
  std::string hello = client.take();
  std::string fragmented = in_records(hello.substr(5), 1);
  std::string_view rest = fragmented;
  EXPECT_EQ(server->handshake(rest), Status::want_input);
  EXPECT_EQ(rest, "");
  client.give(server->take_output());
  EXPECT_TRUE(client.shake(*server));
}

TEST(Handshake, RubbishFailsWholeAndInPieces) {
  for (std::string_view rubbish :
       {std::string_view("EHLO a.example\r\nMAIL FROM:<>\r\n"), std::string_view("GET / HTTP/1.1\r\n\r\n"),
        std::string_view("\x16\x03\x01\xff\xff\x01\x00", 7), std::string_view("\x80\x2e\x01\x00\x02", 5)}) {
    std::string longer = std::string(rubbish) + std::string(70'000, '\0');
    for (std::size_t piece : {whole, std::size_t{1}}) {
      auto server = server_context()->make_engine();
      auto status = Status::want_input;
      for (std::size_t at = 0; at < longer.size() && status == Status::want_input;
           at += std::min(piece, longer.size())) {
        std::string_view part = std::string_view(longer).substr(at, piece);
        status = server->handshake(part);
      }
      EXPECT_EQ(status, Status::failed) << rubbish;
      EXPECT_NE(server->failure(), "");
    }
  }
}

TEST(Handshake, EveryTruncationOfAHelloOnlyWaits) {
  RawClient client;
  SSL_do_handshake(client.ssl());
  std::string hello = client.take();
  auto context = server_context();
  for (std::size_t octets = 0; octets < hello.size(); ++octets) {
    auto server = context->make_engine();
    std::string_view part = std::string_view(hello).substr(0, octets);
    ASSERT_EQ(server->handshake(part), Status::want_input);
    ASSERT_EQ(part, "");
  }
}

TEST(Handshake, EveryDamagedOctetOfAHelloIsSurvived) {
  RawClient client;
  SSL_do_handshake(client.ssl());
  std::string hello = client.take();
  auto context = server_context();
  for (std::size_t at = 0; at < hello.size(); ++at) {
    std::string damaged = hello;
    damaged[at] = static_cast<char>(~damaged[at]);
    auto server = context->make_engine();
    std::string_view part = damaged;
    auto status = server->handshake(part);
    ASSERT_TRUE(status == Status::want_input || status == Status::failed) << at;
  }
}

}  // namespace
}  // namespace sallyport::tls
