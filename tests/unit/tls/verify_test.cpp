// Whom we trust: upstreams in mode `verify`, and clients that are asked for a certificate (threats.md T7).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tls/engine_pair.h"

namespace sallyport::tls {
namespace {

ClientTlsSettings verifying(std::string name) {
  return {.mode = UpstreamTls::verify, .name = std::move(name), .ca_file = common_certificates().ecdsa.chain};
}

std::shared_ptr<const ServerContext> serving(const CertificateFiles& files) {
  ServerTlsSettings settings;
  settings.certificates = {files};
  return server_context(settings);
}

TEST(VerifyUpstream, AcceptsTheRightNameUnderAKnownAuthority) {
  for (const char* name : {"mx.example.test", "MX.EXAMPLE.TEST", ""}) {
    EnginePair pair(client_context(verifying(name)), serving(common_certificates().ecdsa), "mx.example.test");
    EXPECT_TRUE(pair.shake()) << name;
    EXPECT_TRUE(pair.client->info().peer_verified);
  }
}

TEST(VerifyUpstream, VerifiesInAResumedSessionToo) {
  auto client = client_context(verifying("mx.example.test"));
  auto server = serving(common_certificates().ecdsa);
  for (bool resumed : {false, true}) {
    EnginePair pair(client, server);
    ASSERT_TRUE(pair.shake());
    EXPECT_EQ(pair.client->info().resumed, resumed);
    EXPECT_TRUE(pair.client->info().peer_verified);
  }
}

TEST(VerifyUpstream, RefusesAnotherNameWithAnAlert) {
  for (const char* name : {"other.example.test", "example.test", "192.0.2.1", "2001:db8::1"}) {
    EnginePair pair(client_context(verifying(name)), serving(common_certificates().ecdsa));
    EXPECT_FALSE(pair.shake()) << name;
    EXPECT_THAT(pair.client->failure(), testing::HasSubstr("mismatch"));
    EXPECT_TRUE(pair.server->has_failed());
  }
}

TEST(VerifyUpstream, RefusesAnUnknownAuthorityAndAnExpiredCertificate) {
  EnginePair stranger(client_context(verifying("mx.example.test")), serving(common_certificates().rsa));
  EXPECT_FALSE(stranger.shake());
  EXPECT_EQ(stranger.client->failure(), "self-signed certificate");

  CertificateFolder folder;
  CertificateFiles expired = folder.make({.valid_from_days = -20, .valid_until_days = -1});
  auto client = client_context({.mode = UpstreamTls::verify, .name = "mx.example.test", .ca_file = expired.chain});
  EnginePair late(client, serving(expired));
  EXPECT_FALSE(late.shake());
  EXPECT_EQ(late.client->failure(), "certificate has expired");
}

TEST(VerifyUpstream, WithoutAnyNameIsOurMistake) {
  auto client = client_context(verifying(""));
  EXPECT_THROW((void)client->make_engine(""), BrokenInvariant);
}

TEST(VerifyUpstream, OtherModesTakeAnyCertificate) {
  for (UpstreamTls mode : {UpstreamTls::opportunistic, UpstreamTls::require}) {
    EnginePair pair(client_context({.mode = mode}), serving(common_certificates().rsa), "other.example");
    EXPECT_TRUE(pair.shake());
    EXPECT_FALSE(pair.client->info().peer_verified);
    EXPECT_EQ(pair.client->info().peer_subject, "CN=mx.example.test");
  }
}

class ClientCertificate : public testing::Test {
 protected:
  // Whether the handshake succeeds on both sides, for a client with this certificate (none: empty).
  bool shakes(ClientCertificates policy, const std::string& chain, const std::string& key) {
    ServerTlsSettings settings;
    settings.certificates = {common_certificates().ecdsa};
    settings.client_certificates = policy;
    settings.client_ca_file = common_certificates().rsa.chain;
    server_ = server_context(settings)->make_engine();
    RawClient client;
    if (!chain.empty()) {
      SSL_CTX_use_certificate_chain_file(client.context(), chain.c_str());
      SSL_CTX_use_PrivateKey_file(client.context(), key.c_str(), SSL_FILETYPE_PEM);
    }
    SSL_CTX_set_max_proto_version(client.context(), version_);
    bool shaken = client.shake(*server_, piece_);
    alert_ = client.alert();
    // In TLS 1.3 a client is done before the server has seen its certificate.
    return shaken && !server_->has_failed();
  }

  CertificateFiles known_ = common_certificates().rsa;
  CertificateFiles unknown_ = common_certificates().ecdsa;
  std::unique_ptr<Engine> server_;
  int version_ = 0;                        // the newest
  std::size_t piece_ = std::string::npos;  // how many octets of the client's arrive at a time
  int alert_ = -1;                         // what the server said to the client, if anything
};

TEST_F(ClientCertificate, IsNotAskedForUnlessConfigured) {
  EXPECT_TRUE(shakes(ClientCertificates::off, known_.chain, known_.key));
  EXPECT_EQ(server_->info().peer_subject, "");
  EXPECT_FALSE(server_->info().peer_verified);
}

TEST_F(ClientCertificate, WhereItIsAskedForIsOnlyNoted) {
  EXPECT_TRUE(shakes(ClientCertificates::ask, known_.chain, known_.key));
  EXPECT_TRUE(server_->info().peer_verified);
  EXPECT_EQ(server_->info().peer_subject, "CN=mx.example.test");
  EXPECT_TRUE(shakes(ClientCertificates::ask, unknown_.chain, unknown_.key));
  EXPECT_FALSE(server_->info().peer_verified);
  EXPECT_TRUE(shakes(ClientCertificates::ask, "", ""));
  EXPECT_FALSE(server_->info().peer_verified);
}

TEST_F(ClientCertificate, WhereItIsRequiredMustVerify) {
  EXPECT_TRUE(shakes(ClientCertificates::require, known_.chain, known_.key));
  EXPECT_TRUE(server_->info().peer_verified);
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    version_ = version;
    EXPECT_FALSE(shakes(ClientCertificates::require, unknown_.chain, unknown_.key));
    EXPECT_EQ(alert_, SSL_AD_UNKNOWN_CA);
    EXPECT_FALSE(shakes(ClientCertificates::require, "", ""));
    EXPECT_EQ(alert_, version == TLS1_3_VERSION ? SSL_AD_CERTIFICATE_REQUIRED : SSL_AD_HANDSHAKE_FAILURE);
  }
}

// Each of these says who it is and cannot prove it.
TEST_F(ClientCertificate, WhatDoesNotVerifyIsNobodyWhereItIsAskedForAndNoHandshakeWhereItIsRequired) {
  CertificateFolder folder;
  CertificateFiles expired = folder.make({.valid_from_days = -20, .valid_until_days = -1});
  CertificateFiles future = folder.make({.valid_from_days = 5});
  for (const CertificateFiles& files : {unknown_, expired, future}) {
    EXPECT_TRUE(shakes(ClientCertificates::ask, files.chain, files.key)) << server_->failure();
    EXPECT_FALSE(server_->info().peer_verified);
    EXPECT_EQ(alert_, -1);
    EXPECT_FALSE(shakes(ClientCertificates::require, files.chain, files.key));
    EXPECT_NE(alert_, -1);
  }
}

// Whatever the certificate, the version and the pieces: a client that is only asked for it is served, and is known when
// it verifies. What the library thinks of the certificate is no error of the octets that follow it.
TEST_F(ClientCertificate, WhereItIsAskedForTheOutcomeDoesNotDependOnThePieces) {
  CertificateFolder folder;
  const CertificateFiles expired = folder.make({.valid_from_days = -20, .valid_until_days = -1});
  const CertificateFiles future = folder.make({.valid_from_days = 5});
  const CertificateFiles large = folder.make({.other_names = 500});  // more than a record
  std::string altered = CertificateFolder::read(unknown_.chain);
  const std::size_t end = altered.find("\n-----END");
  char& octet = altered[end - 30];  // of its signature
  octet = octet == 'A' ? 'B' : 'A';
  const CertificateFiles broken{folder.write(altered), unknown_.key};
  struct Case {
    const char* what;
    CertificateFiles files;
    bool verifies;
  };
  const std::vector<Case> cases = {
      {"none", {}, false},        {"known", known_, true}, {"unknown", unknown_, false}, {"expired", expired, false},
      {"not yet", future, false}, {"large", large, false}, {"broken", broken, false},
  };
  for (const Case& one : cases) {
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      for (std::size_t piece : {std::size_t{1}, std::size_t{5}, std::size_t{100}, record_by_record, whole}) {
        SCOPED_TRACE(std::string(one.what) + ", version " + std::to_string(version) + ", piece " +
                     std::to_string(piece));
        version_ = version;
        piece_ = piece;
        EXPECT_TRUE(shakes(ClientCertificates::ask, one.files.chain, one.files.key)) << server_->failure();
        EXPECT_EQ(server_->info().peer_verified, one.verifies);
        EXPECT_EQ(alert_, -1);
      }
    }
  }
}

TEST_F(ClientCertificate, AChainTooLongIsRefusedAlsoWhereItIsOnlyAskedFor) {
  CertificateFolder folder;
  auto chain_of = [&](int count) {
    std::string chain;
    for (int i = 0; i < count; ++i) chain += CertificateFolder::read(known_.chain);
    return folder.write(chain);
  };
  EXPECT_TRUE(shakes(ClientCertificates::ask, chain_of(10), known_.key));
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    version_ = version;
    EXPECT_FALSE(shakes(ClientCertificates::ask, chain_of(11), known_.key));
    EXPECT_EQ(server_->failure(), "certificate chain too long");
    EXPECT_EQ(alert_, SSL_AD_UNKNOWN_CA);
  }
}

TEST_F(ClientCertificate, AChainTooLargeIsRefusedBeforeItIsRead) {
  CertificateFolder folder;
  // Of few certificates and many octets: a name is good for a lot.
  CertificateFiles large = folder.make({.name = std::string(60, 'a') + ".example", .other_names = 1000});
  std::string chain = CertificateFolder::read(large.chain);
  std::string two = folder.write(chain + chain);
  std::string three = folder.write(chain + chain + chain);
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    version_ = version;
    EXPECT_TRUE(shakes(ClientCertificates::ask, two, large.key)) << server_->failure();
    EXPECT_FALSE(shakes(ClientCertificates::ask, three, large.key));
    EXPECT_EQ(server_->failure(), "excessive message size");
    EXPECT_EQ(alert_, SSL_AD_ILLEGAL_PARAMETER);
  }
}

TEST_F(ClientCertificate, ASubjectIsPrintableWhateverItHolds) {
  CertificateFolder folder;
  CertificateFiles odd = folder.make({.name = "a\r\nb\xc3\xa9\x1b[2J"});
  EXPECT_TRUE(shakes(ClientCertificates::ask, odd.chain, odd.key));
  for (char c : server_->info().peer_subject) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
}

}  // namespace
}  // namespace sallyport::tls
