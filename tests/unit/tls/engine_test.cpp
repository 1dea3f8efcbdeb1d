#include "gateway/tls/engine.h"

#include <gtest/gtest.h>

#include <thread>

#include "gateway/tls/context_parts.h"
#include "tests/unit/tls/engine_pair.h"

namespace sallyport::tls {
namespace {

using Status = Engine::Status;

std::string numbered_octets(std::size_t count) {
  std::string octets(count, '\0');
  for (std::size_t i = 0; i < count; ++i) octets[i] = static_cast<char>(i * 7 + i / 251);
  return octets;
}

// Every test of this suite runs with all ciphertext at once and with one octet at a time.
class EngineInPieces : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Pieces, EngineInPieces, testing::Values(whole, 1u));

TEST_P(EngineInPieces, ShakesHandsAndCarriesOctetsBothWays) {
  EnginePair pair(client_context(), server_context());
  ASSERT_TRUE(pair.shake(GetParam()));
  EXPECT_EQ(pair.server->write("220 mx.example.test ESMTP\r\n"), Status::done);
  EXPECT_EQ(receive(*pair.client, pair.server->take_output(), GetParam()).plain, "220 mx.example.test ESMTP\r\n");
  pair.client->write("EHLO a.example\r\n");
  pair.client->write("NOOP\r\n");
  EXPECT_EQ(receive(*pair.server, pair.client->take_output(), GetParam()).plain, "EHLO a.example\r\nNOOP\r\n");
}

TEST_P(EngineInPieces, CarriesMoreThanARecord) {
  EnginePair pair(client_context(), server_context());
  ASSERT_TRUE(pair.shake());
  std::string message = numbered_octets(100'000);
  EXPECT_EQ(pair.client->write(message), Status::done);
  std::string ciphertext = pair.client->take_output();
  EXPECT_LT(ciphertext.size(), message.size() + std::size_t{7} * 32);  // seven records
  EXPECT_EQ(receive(*pair.server, ciphertext, GetParam()).plain, message);
}

TEST_P(EngineInPieces, CloseNotifyEndsTheOctetsAndNothingElseDoes) {
  EnginePair pair(client_context(), server_context());
  ASSERT_TRUE(pair.shake());
  pair.client->write("QUIT\r\n");
  std::string quit = pair.client->take_output();
  EXPECT_EQ(receive(*pair.server, quit, GetParam()).status, Status::want_input);
  pair.client->write("bye\r\n");
  pair.client->shutdown();
  pair.client->shutdown();
  Received received = receive(*pair.server, pair.client->take_output(), GetParam());
  EXPECT_EQ(received.plain, "bye\r\n");
  EXPECT_EQ(received.status, Status::ended);
  EXPECT_TRUE(pair.server->has_ended());
  EXPECT_EQ(receive(*pair.server, "more").status, Status::ended);
  EXPECT_EQ(pair.server->write("221 Bye\r\n"), Status::done);  // the other direction is still open
  EXPECT_EQ(receive(*pair.client, pair.server->take_output()).plain, "221 Bye\r\n");
}

TEST_P(EngineInPieces, ADamagedRecordFailsForGoodAndSaysSo) {
  EnginePair pair(client_context(), server_context());
  ASSERT_TRUE(pair.shake());
  pair.client->write("MAIL FROM:<>\r\n");
  std::string ciphertext = pair.client->take_output();
  ciphertext.back() ^= 1;
  Received received = receive(*pair.server, ciphertext, GetParam());
  EXPECT_EQ(received.status, Status::failed);
  EXPECT_EQ(received.plain, "");
  EXPECT_EQ(pair.server->failure(), "decryption failed or bad record mac");
  EXPECT_FALSE(pair.server->was_refused());
  EXPECT_EQ(pair.server->write("250 Ok\r\n"), Status::failed);
  // The alert reaches the client.
  EXPECT_EQ(receive(*pair.client, pair.server->take_output(), GetParam()).status, Status::failed);
  EXPECT_EQ(pair.client->failure(), "sslv3 alert bad record mac");
}

TEST_P(EngineInPieces, PlaintextInTheMiddleFails) {
  EnginePair pair(client_context(), server_context());
  ASSERT_TRUE(pair.shake());
  Received received = receive(*pair.server, "MAIL FROM:<ann@example.org>\r\n", GetParam());
  EXPECT_EQ(received.status, Status::failed);
  EXPECT_EQ(received.plain, "");
}

TEST(Engine, TellsWhatWasSettled) {
  EnginePair pair(client_context(), server_context(), "MX.example.test");
  ASSERT_TRUE(pair.shake());
  for (const Info& info : {pair.server->info(), pair.client->info()}) {
    EXPECT_EQ(info.version, "TLSv1.3");
    EXPECT_EQ(info.cipher, "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(info.bits, 128);
    EXPECT_EQ(info.sni, "mx.example.test");
    EXPECT_EQ(info.alpn, "");
    EXPECT_FALSE(info.resumed);
    EXPECT_FALSE(info.peer_verified);
  }
  EXPECT_EQ(pair.client->info().peer_subject, "CN=mx.example.test");
  EXPECT_EQ(pair.server->info().peer_subject, "");
}

TEST(Engine, LeavesWhatLiesBehindTheHandshake) {
  EnginePair pair(client_context(), server_context());
  std::string_view nothing;
  pair.client->handshake(nothing);
  std::string hello = pair.client->take_output();
  std::string_view to_server = hello;
  EXPECT_EQ(pair.server->handshake(to_server), Status::want_input);
  EXPECT_EQ(to_server, "");
  std::string flight = pair.server->take_output();
  std::string_view to_client = flight;
  EXPECT_EQ(pair.client->handshake(to_client), Status::done);
  pair.client->write("EHLO a.example\r\n");
  std::string rest = pair.client->take_output();  // Finished and a command, in one piece
  to_server = rest;
  EXPECT_EQ(pair.server->handshake(to_server), Status::done);
  EXPECT_NE(to_server, "");
  EXPECT_EQ(receive(*pair.server, to_server).plain, "EHLO a.example\r\n");
}

TEST(Engine, ReadsIntoSmallBuffers) {
  EnginePair pair(client_context(), server_context());
  ASSERT_TRUE(pair.shake());
  pair.client->write("abcdef");
  std::string ciphertext = pair.client->take_output();
  std::string_view rest = ciphertext;
  std::array<char, 4> buffer{};
  auto first = pair.server->read(rest, buffer);
  EXPECT_EQ(first.octets, 4u);
  EXPECT_EQ(rest, "");
  EXPECT_TRUE(pair.server->has_decrypted());
  auto second = pair.server->read(rest, buffer);
  EXPECT_EQ(second.octets, 2u);
  EXPECT_FALSE(pair.server->has_decrypted());
}

TEST(Engine, UsedInTheWrongOrderIsOurMistake) {
  EnginePair pair(client_context(), server_context());
  std::array<char, 4> buffer{};
  std::string_view nothing;
  EXPECT_THROW((void)pair.server->write("220 hi\r\n"), BrokenInvariant);
  EXPECT_THROW((void)pair.server->read(nothing, buffer), BrokenInvariant);
  pair.server->shutdown();  // harmless: there is nothing to end yet
  EXPECT_EQ(pair.server->take_output(), "");
  ASSERT_TRUE(pair.shake());
  pair.server->shutdown();
  EXPECT_THROW((void)pair.server->write("250 Ok\r\n"), BrokenInvariant);
}

TEST(Engine, ServesTheCertificateOfTheNameAskedFor) {
  CertificateFolder folder;
  ServerTlsSettings settings;
  settings.certificates = {common_certificates().ecdsa};
  settings.sni["mx.acme.example"] = {folder.make({.name = "mx.acme.example"})};
  settings.sni["*.wild.example"] = {folder.make({.name = "a.wild.example"})};
  auto context = server_context(settings);
  auto served = [&](const std::string& host) {
    EnginePair pair(client_context(), context, host);
    EXPECT_TRUE(pair.shake());
    return pair.client->info().peer_subject;
  };
  EXPECT_EQ(served("mx.acme.example"), "CN=mx.acme.example");
  EXPECT_EQ(served("MX.ACME.example"), "CN=mx.acme.example");
  EXPECT_EQ(served("b.wild.example"), "CN=a.wild.example");
  // Anybody else gets the default, never an error (threats.md T5).
  EXPECT_EQ(served("b.c.wild.example"), "CN=mx.example.test");
  EXPECT_EQ(served("unknown.example"), "CN=mx.example.test");
  EXPECT_EQ(served("192.0.2.1"), "CN=mx.example.test");
}

TEST(Engine, AMalformedNameGetsTheDefaultCertificateAndIsForgotten) {
  auto context = server_context();
  for (const char* name : {"a..b", "a b", "<script>alert(1)</script>", "b\xc3\xbc\x63her.example", "."}) {
    RawClient client;
    auto server = context->make_engine();
    SSL_set_tlsext_host_name(client.ssl(), name);
    EXPECT_TRUE(client.shake(*server)) << name;
    EXPECT_EQ(server->info().sni, "") << name;
  }
}

TEST(Engine, GivesEachClientTheTypeOfCertificateItCanUse) {
  auto context = server_context();
  for (auto [algorithms, type] :
       {std::pair("ECDSA+SHA256:RSA-PSS+SHA256", EVP_PKEY_EC), std::pair("RSA-PSS+SHA256", EVP_PKEY_RSA)}) {
    RawClient client;
    SSL_CTX_set1_sigalgs_list(client.context(), algorithms);
    auto server = context->make_engine();
    ASSERT_TRUE(client.shake(*server)) << algorithms;
    EXPECT_EQ(EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(client.ssl()))), type);
  }
}

TEST(Engine, ALPNSelectsSmtpAndRefusesEverythingElse) {
  auto context = server_context();
  auto offer = [&](std::string_view protocols, Engine& server) {
    RawClient client;
    SSL_CTX_set_alpn_protos(client.context(), reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
    return client.shake(server);
  };
  auto mail = context->make_engine();
  EXPECT_TRUE(offer("\x02h2\x04smtp", *mail));
  EXPECT_EQ(mail->info().alpn, "smtp");
  for (std::string_view foreign : {"\x02h2", "\x04imap\x04pop3", "\x05smtps", "\x03smt"}) {
    auto server = context->make_engine();
    EXPECT_FALSE(offer(foreign, *server)) << foreign;
    EXPECT_EQ(server->failure(), "no application protocol");
  }
  auto web = context->make_engine();
  EXPECT_FALSE(offer("\x02h2\x08http/1.1", *web));
  EXPECT_EQ(web->failure(), "no application protocol");
}

TEST(Engine, MinimumVersionOfTheSettingsCounts) {
  ServerTlsSettings settings;
  settings.certificates = {common_certificates().ecdsa};
  settings.min_version = "1.3";
  auto context = server_context(settings);
  RawClient old;
  SSL_CTX_set_max_proto_version(old.context(), TLS1_2_VERSION);
  auto refusing = context->make_engine();
  EXPECT_FALSE(old.shake(*refusing));
  EXPECT_TRUE(refusing->was_refused());
  EnginePair pair(client_context(), context);
  EXPECT_TRUE(pair.shake());
}

// threats.md T13: the kernel would get our keys, and octets would pass where we do not see them.
TEST(Engine, LeavesTheKernelOutOfIt) {
  auto for_server = server_context();
  auto for_client = client_context();
  for (const auto& context : for_server->parts().contexts) {
    EXPECT_EQ(SSL_CTX_get_options(context.get()) & SSL_OP_ENABLE_KTLS, 0u);
  }
  EXPECT_EQ(SSL_CTX_get_options(for_client->parts().context.get()) & SSL_OP_ENABLE_KTLS, 0u);
}

TEST(Engine, ContextsAreSharedByThreads) {
  auto for_server = server_context();
  auto for_client = client_context();
  auto shake_some = [&] {
    for (int i = 0; i < 20; ++i) {
      EnginePair pair(for_client, for_server);
      EXPECT_TRUE(pair.shake());
    }
  };
  std::thread other(shake_some);
  shake_some();
  other.join();
}

TEST(Engine, AContextLivesAsLongAsItsConnections) {
  auto for_server = server_context();
  auto for_client = client_context();
  EnginePair pair(for_client, for_server);
  for_server.reset();
  for_client.reset();
  ASSERT_TRUE(pair.shake());
  pair.client->write("NOOP\r\n");
  EXPECT_EQ(receive(*pair.server, pair.client->take_output()).plain, "NOOP\r\n");
}

}  // namespace
}  // namespace sallyport::tls
