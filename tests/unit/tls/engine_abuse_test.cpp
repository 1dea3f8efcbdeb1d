// Clients that mean no good, or know no better (threats.md T1, T2, T4).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <cstdint>

#include "gateway/tls/engine.h"
#include "tests/unit/tls/engine_pair.h"

namespace sallyport::tls {
namespace {

using Status = Engine::Status;

std::string number(std::uint64_t value, int octets) {
  std::string text;
  while (octets-- > 0) text += static_cast<char>(value >> (8 * octets));
  return text;
}

unsigned char* octets_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// Makes records of a TLS 1.2 connection by hand (RFC 5246, 6.2.3.3; RFC 5288), with content that no library would send.
class RecordForger {
 public:
  // For a client that has shaken hands and sent nothing since.
  explicit RecordForger(SSL* client) {
    std::string master(48, '\0');
    SSL_SESSION_get_master_key(SSL_get_session(client), octets_of(master), master.size());
    std::string seed(std::string_view("key expansion"));
    std::string random(32, '\0');
    SSL_get_server_random(client, octets_of(random), random.size());
    seed += random;
    SSL_get_client_random(client, octets_of(random), random.size());
    seed += random;
    std::string keys = expand(master, seed);
    key_ = keys.substr(0, 16);
    iv_ = keys.substr(32, 4);
  }

  std::string record(char type, const std::string& plain) {
    std::string nonce = number(sequence_, 8);
    std::string associated = number(sequence_, 8) + type + "\x03\x03" + number(plain.size(), 2);
    ++sequence_;
    std::string sealed = seal(iv_ + nonce, associated, plain);
    return type + std::string("\x03\x03") + number(nonce.size() + sealed.size(), 2) + nonce + sealed;
  }

 private:
  static std::string expand(std::string& secret, std::string& seed) {
    std::unique_ptr<EVP_KDF, Freed<EVP_KDF_free>> prf(made(EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr)));
    std::unique_ptr<EVP_KDF_CTX, Freed<EVP_KDF_CTX_free>> context(made(EVP_KDF_CTX_new(prf.get())));
    char sha256[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.data(), secret.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()),
        OSSL_PARAM_construct_end(),
    };
    std::string keys(40, '\0');
    EXPECT_EQ(EVP_KDF_derive(context.get(), octets_of(keys), keys.size(), parameters), 1);
    return keys;
  }

  std::string seal(std::string nonce, std::string associated, std::string plain) {
    std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>> context(made(EVP_CIPHER_CTX_new()));
    std::string sealed(plain.size(), '\0');
    std::string tag(16, '\0');
    int octets = 0;
    EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, octets_of(key_), octets_of(nonce));
    EVP_EncryptUpdate(context.get(), nullptr, &octets, octets_of(associated), static_cast<int>(associated.size()));
    EVP_EncryptUpdate(context.get(), octets_of(sealed), &octets, octets_of(plain), static_cast<int>(plain.size()));
    EVP_EncryptFinal_ex(context.get(), octets_of(sealed), &octets);
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag.size()), tag.data());
    return sealed + tag;
  }

  std::string key_;
  std::string iv_;
  std::uint64_t sequence_ = 1;  // Finished was 0
};

constexpr char handshake_type = 22;
constexpr char data_type = 23;

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
    hello_ = "\x01" + number(2 + 32 + 1 + 4 + 2, 3) + "\x03\x03" + std::string(33, '\0') + number(2, 2) +
             number(0xc02b, 2) + std::string("\x01\x00", 2);
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
    received = receive(*server_, forger.record(21, no_renegotiation));
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
  std::string message = "\x01" + number(60'000, 3) + "\x03\x03" + std::string(60'000, '\0');
  std::string records;
  for (char octet : message) records += std::string("\x16\x03\x01\x00\x01", 5) + octet;
  return records;
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
  std::string fragmented;
  for (char octet : hello.substr(5)) fragmented += std::string("\x16\x03\x01\x00\x01", 5) + octet;
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
