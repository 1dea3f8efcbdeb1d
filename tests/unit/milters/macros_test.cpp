#include "policies/milters/macros.h"

#include <gtest/gtest.h>

#include <map>

#include "gateway/base/text.h"
#include "gateway/milter/command.h"
#include "gateway/milter/packet.h"
#include "policies/milters/connection.h"

namespace sallyport::policies {
namespace {

class Macros : public testing::Test {
 protected:
  Macros() {
    mail.id = "01ID";
    mail.client.ip = *IpAddress::parse("192.0.2.1");
    mail.client.port = 1234;
    mail.listener = *SocketAddress::parse("192.0.2.25:25");
  }

  std::map<std::string, std::string> sent(milter::MacroStage stage) { return sent(stage, {mail, "mx.test.example"}); }
  // As a milter reads them.
  std::map<std::string, std::string> sent(milter::MacroStage stage, const MacroSource& source) {
    std::string texts;
    append_macros(texts, stage, milter, dialogue, source);
    std::string octets;
    milter::encode_macros(octets, milter::Verb::connect, texts);
    milter::PacketReader reader;
    std::string_view input = octets;
    EXPECT_EQ(reader.read(input), milter::PacketReader::Status::packet);
    const auto command = milter::decode_command(reader.packet());
    std::map<std::string, std::string> values;
    if (!command) return {{"malformed", texts}};
    for (const auto& [name, value] : std::get<milter::Macros>(*command).values)
      values.emplace(std::string(name), std::string(value));
    return values;
  }

  Transaction mail;
  MilterSettings milter;
  milter::MtaDialogue dialogue{MilterConnection::offered};
};

using milter::MacroStage;

TEST_F(Macros, AreThoseOfBothMtas) {
  const auto connect = sent(MacroStage::connect);
  EXPECT_EQ(connect.at("j"), "mx.test.example");
  EXPECT_EQ(connect.at("_"), "[192.0.2.1] [192.0.2.1]");
  EXPECT_EQ(connect.at("{client_name}"), "unknown");
  EXPECT_EQ(connect.at("{daemon_addr}"), "192.0.2.25");
  EXPECT_EQ(sent(MacroStage::mail).at("i"), "01ID");
  EXPECT_TRUE(sent(MacroStage::helo).empty()) << "there is no TLS, and what has no value is not sent";
}

TEST_F(Macros, AreThoseOfTheConfiguration) {
  milter.macros[static_cast<std::size_t>(MacroStage::mail)] = {"{client_port}", "{nothing_known}"};
  EXPECT_EQ(sent(MacroStage::mail), (std::map<std::string, std::string>{{"{client_port}", "1234"}}));
}

TEST_F(Macros, SayHowManySessionsAClientHasWhereSomebodyKnows) {
  milter.macros[static_cast<std::size_t>(MacroStage::connect)] = {"{client_connections}"};
  EXPECT_TRUE(sent(MacroStage::connect).empty());
  const std::function<std::uint64_t(const IpAddress&)> sessions_of = [this](const IpAddress& client) {
    return std::uint64_t{client == mail.client.ip ? 3u : 0u};
  };
  EXPECT_EQ(sent(MacroStage::connect, {mail, "mx.test.example", nullptr, &sessions_of}),
            (std::map<std::string, std::string>{{"{client_connections}", "3"}}));
}

TEST_F(Macros, OfTlsWithAClientsCertificate) {
  mail.client.tls = TlsFacts{.version = "TLSv1.3",
                             .cipher = "TLS_AES_256_GCM_SHA384",
                             .bits = 256,
                             .client_is_verified = true,
                             .client_subject = "CN=relay.example.org",
                             .client_issuer = "CN=Example CA"};
  const auto helo = sent(MacroStage::helo);
  EXPECT_EQ(helo, (std::map<std::string, std::string>{{"{tls_version}", "TLSv1.3"},
                                                      {"{cipher}", "TLS_AES_256_GCM_SHA384"},
                                                      {"{cipher_bits}", "256"},
                                                      {"{cert_subject}", "CN=relay.example.org"},
                                                      {"{cert_issuer}", "CN=Example CA"},
                                                      {"{verify}", "OK"}}));
}

// Sendmail's and Postfix's way of telling a refused recipient from one that is asked about.
TEST_F(Macros, OfARefusedRecipient) {
  mail.rcpt = MailAddress{"bob", "test.example"};
  const RefusedRecipient refused{"rules", "5.1.1", "No bob\r\nhere"};
  EXPECT_EQ(sent(MacroStage::rcpt, {mail, "mx.test.example", &refused}),
            (std::map<std::string, std::string>{
                {"i", "01ID"}, {"{rcpt_mailer}", "error"}, {"{rcpt_host}", "5.1.1"}, {"{rcpt_addr}", "No bobhere"}}));
  EXPECT_EQ(sent(MacroStage::rcpt).at("{rcpt_addr}"), "bob@test.example");
}

TEST_F(Macros, OfAUnixDomainListenerHaveNoAddress) {
  mail.listener = Endpoint::unix_socket("/run/sallyport/milter.sock");
  EXPECT_FALSE(sent(MacroStage::connect).contains("{daemon_addr}"));
  EXPECT_FALSE(sent(MacroStage::connect).contains("{daemon_port}"));
}

// threats.md F7
TEST_F(Macros, HoldNoControlsOfPeers) {
  mail.client.rdns = std::string("a\0b\r\nc\x7f", 7);
  mail.from = MailAddress{std::string("x\0y", 3), "test.example"};
  EXPECT_EQ(sent(MacroStage::connect).at("{client_name}"), "abc");
  EXPECT_EQ(macro_value("{client_name}", {mail, ""}), "abc");
  for (const char c : macro_value("{mail_addr}", {mail, ""})) EXPECT_FALSE(text::is_control(c));
}

}  // namespace
}  // namespace sallyport::policies
