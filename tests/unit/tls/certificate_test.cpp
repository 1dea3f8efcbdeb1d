// What is checked when a context is made (threats.md T9).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tls/engine_pair.h"

namespace sallyport::tls {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ServerTlsSettings with(CertificateFiles files) {
  ServerTlsSettings settings;
  settings.certificates = {std::move(files)};
  return settings;
}

// The error's text; empty when there is none.
std::string refusal(const ServerTlsSettings& settings) {
  auto context = make_server_context(settings);
  return context ? "" : context.error().message;
}

WallTime days_from_now(int days) { return std::chrono::system_clock::now() + std::chrono::hours(24 * days); }

TEST(ServerCertificate, AKeyOpenToOthersIsRefusedWithTheCure) {
  CertificateFolder folder;
  CertificateFiles files = folder.make();
  for (mode_t mode : {0644, 0604, 0602, 0601}) {
    ::chmod(files.key.c_str(), mode);
    EXPECT_THAT(refusal(with(files)), AllOf(HasSubstr("open to others"), HasSubstr("chmod 06"), HasSubstr(files.key)));
  }
  ::chmod(files.key.c_str(), 0644);
  EXPECT_THAT(refusal(with(files)), AllOf(HasSubstr("(mode 0644)"), HasSubstr("chmod 0640 " + files.key)));
}

TEST(ServerCertificate, AKeyItsGroupMayWriteIsRefusedWithTheCure) {
  CertificateFolder folder;
  CertificateFiles files = folder.make();
  ::chmod(files.key.c_str(), 0660);
  EXPECT_THAT(refusal(with(files)), AllOf(HasSubstr("writable by its group"), HasSubstr("chmod 0640 " + files.key)));
}

TEST(ServerCertificate, AKeyItsGroupMayReadIsAccepted) {
  CertificateFolder folder;
  CertificateFiles files = folder.make();
  for (mode_t mode : {0640, 0440, 0600, 0400}) {
    ::chmod(files.key.c_str(), mode);
    EXPECT_EQ(refusal(with(files)), "");
  }
}

TEST(ServerCertificate, TheModeOfTheFileBehindALinkCounts) {
  CertificateFolder folder;
  CertificateFiles files = folder.make();
  std::string link = files.key + ".link";
  ASSERT_EQ(::symlink(files.key.c_str(), link.c_str()), 0);
  EXPECT_EQ(refusal(with({files.chain, link})), "");
  ::chmod(files.key.c_str(), 0644);
  EXPECT_THAT(refusal(with({files.chain, link})), HasSubstr("open to others"));
}

TEST(ServerCertificate, AKeyOfAnotherCertificateIsRefused) {
  CertificateFolder folder;
  CertificateFiles one = folder.make();
  CertificateFiles other = folder.make();
  EXPECT_THAT(refusal(with({one.chain, other.key})),
              AllOf(HasSubstr("does not belong"), HasSubstr(other.key), HasSubstr(one.chain)));
  EXPECT_THAT(refusal(with({one.chain, common_certificates().rsa.key})), HasSubstr("does not belong"));
}

TEST(ServerCertificate, FilesThatAreNoneAreRefusedByName) {
  CertificateFolder folder;
  CertificateFiles good = folder.make();
  std::string missing = good.chain + ".missing";
  std::string rubbish = folder.write("not a certificate\n");
  std::string truncated = folder.write(CertificateFolder::read(good.chain).substr(0, 200));
  std::string half_a_chain =
      folder.write(CertificateFolder::read(good.chain) + CertificateFolder::read(good.chain).substr(0, 200));
  std::string folder_itself = std::filesystem::path(good.chain).parent_path();
  EXPECT_THAT(refusal(with({missing, good.key})), AllOf(HasSubstr(missing), HasSubstr("No such file")));
  EXPECT_THAT(refusal(with({good.chain, missing})), AllOf(HasSubstr(missing), HasSubstr("No such file")));
  EXPECT_THAT(refusal(with({folder_itself, good.key})), HasSubstr("is not a file"));
  EXPECT_THAT(refusal(with({folder.write(std::string(2 << 20, 'x')), good.key})), HasSubstr("too large"));
  for (const std::string& bad : {rubbish, truncated, half_a_chain, folder.write("")}) {
    EXPECT_THAT(refusal(with({bad, good.key})), HasSubstr(bad));
    EXPECT_THAT(refusal(with({good.chain, bad})), HasSubstr(bad));
  }
}

TEST(ServerCertificate, AnEncryptedKeyIsRefusedWithoutAskingForItsPassword) {
  CertificateFolder folder;
  CertificateFiles files = folder.make();
  files.key = folder.write(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjm7nT4wCrqJgICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAnPLHyl6ZWjcqUhkn2fIvoEgZDh\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_THAT(refusal(with(files)), AllOf(HasSubstr("encrypted"), HasSubstr(files.key)));
}

TEST(ServerCertificate, AWeakKeyIsRefused) {
  CertificateFolder folder;
  EXPECT_THAT(refusal(with(folder.make({.key = CertificateOrder::Key::short_rsa}))), HasSubstr("key too small"));
}

TEST(ServerCertificate, AnExpiredOneIsServedWithAWarning) {
  CertificateFolder folder;
  CertificateFiles files = folder.make({.valid_from_days = -30, .valid_until_days = -1});
  auto context = server_context(with(files));
  EXPECT_THAT(context->warnings(days_from_now(0)),
              ElementsAre(AllOf(HasSubstr(files.chain), HasSubstr("has expired on 20"))));
  EXPECT_LT(context->expires_at(), days_from_now(0));
  EnginePair pair(client_context(), context);
  EXPECT_TRUE(pair.shake());
}

TEST(ServerCertificate, TheFirstToExpireCountsAndAFutureOneIsWarnedOf) {
  CertificateFolder folder;
  ServerTlsSettings settings = with(folder.make({.valid_until_days = 30}));
  settings.certificates.push_back(common_certificates().rsa);
  settings.sni["other.example"] = {folder.make({.valid_from_days = 2, .valid_until_days = 10})};
  auto context = server_context(settings);
  EXPECT_GT(context->expires_at(), days_from_now(9));
  EXPECT_LT(context->expires_at(), days_from_now(11));
  EXPECT_THAT(context->warnings(days_from_now(0)), ElementsAre(HasSubstr("not valid before")));
  EXPECT_THAT(context->warnings(days_from_now(3)), IsEmpty());
  EXPECT_THAT(context->warnings(days_from_now(12)), ElementsAre(HasSubstr("has expired")));
}

TEST(ServerSettings, WhatCannotBeMeantIsRefused) {
  CertificateFiles good = common_certificates().ecdsa;
  EXPECT_THAT(refusal({}), HasSubstr("tls.cert"));
  ServerTlsSettings settings = with(good);
  settings.certificates.push_back(good);
  EXPECT_THAT(refusal(settings), HasSubstr("second certificate with the same type of key"));
  settings = with(good);
  settings.min_version = "1.1";
  EXPECT_THAT(refusal(settings), HasSubstr("tls.min_version"));
  settings = with(good);
  settings.sni["mx.*.example"] = {good};
  EXPECT_THAT(refusal(settings), HasSubstr("tls.sni.\"mx.*.example\""));
  settings = with(good);
  settings.sni["mx.example"] = {};
  EXPECT_THAT(refusal(settings), HasSubstr("tls.sni.\"mx.example\""));
  settings = with(good);
  settings.client_certificates = ClientCertificates::ask;
  settings.client_ca_file = "/nonexistent/ca.pem";
  EXPECT_THAT(refusal(settings), HasSubstr("/nonexistent/ca.pem"));
}

TEST(ClientSettings, AnUnreadableAuthorityFileIsRefused) {
  auto context =
      make_client_context({.mode = UpstreamTls::verify, .name = "mx.example", .ca_file = "/nonexistent/ca.pem"});
  ASSERT_FALSE(context);
  EXPECT_THAT(context.error().message, HasSubstr("/nonexistent/ca.pem"));
  EXPECT_THROW((void)make_client_context({.mode = UpstreamTls::off}), BrokenInvariant);
}

}  // namespace
}  // namespace sallyport::tls
