// What a relayed mail says about the checks of its sender.
#include "gateway/session/auth_results_field.h"

#include <gtest/gtest.h>

namespace sallyport::session {
namespace {

using policies::AuthResult;

class AuthResultsField : public testing::Test {
 protected:
  AuthResultsField() {
    mail.client.ip = *IpAddress::parse("192.0.2.1");
    mail.from = policies::EnvelopeAddress{"ann", "example.org", "ann@example.org"};
  }
  std::string value() const { return mail::auth_results_value(auth_results_of(mail, facts, "mx.example.com")); }
  bool says(const std::string& text) const {
    // Folds are where the writer likes them.
    std::string line;
    for (char c : value()) {
      if (c == '\r' || c == '\n') continue;
      line += c == '\t' ? ' ' : c;
    }
    std::string single;
    for (char c : line) {
      if (c != ' ' || single.empty() || single.back() != ' ') single += c;
    }
    return single.find(text) != std::string::npos;
  }

  policies::Transaction mail;
  policies::Facts facts;
};

TEST_F(AuthResultsField, HasNothingWhereNothingWasChecked) {
  EXPECT_TRUE(auth_results_of(mail, facts, "mx.example.com").methods.empty());
}

TEST_F(AuthResultsField, TellsEachMethodInOrder) {
  facts.rdns.result = AuthResult::pass;
  facts.spf.mailfrom = policies::SpfCheck{};
  facts.spf.mailfrom->result = AuthResult::softfail;
  facts.spf.helo = policies::SpfCheck{};
  facts.spf.helo->domain = "mail.example.org";
  facts.dkim.checked = facts.dmarc.checked = facts.arc.checked = true;
  std::vector<std::string> methods;
  for (const auto& method : auth_results_of(mail, facts, "mx.example.com").methods) methods.push_back(method.method);
  EXPECT_EQ(methods, (std::vector<std::string>{"iprev", "spf", "spf", "dkim", "dmarc", "arc"}));
  EXPECT_TRUE(says("iprev=pass policy.iprev=192.0.2.1")) << value();
  EXPECT_TRUE(says("spf=softfail smtp.mailfrom=ann@example.org")) << value();
  EXPECT_TRUE(says("spf=none smtp.helo=mail.example.org")) << value();
  EXPECT_TRUE(says("dkim=none")) << value();
  EXPECT_TRUE(says("arc=none")) << value();
}

TEST_F(AuthResultsField, OfANullSenderThePostmasterIsNamed) {
  mail.from = policies::EnvelopeAddress{};
  facts.spf.mailfrom = policies::SpfCheck{};
  facts.spf.mailfrom->domain = "mail.example.org";
  EXPECT_TRUE(says("smtp.mailfrom=postmaster@mail.example.org")) << value();
}

TEST_F(AuthResultsField, EachSignatureIsTold) {
  facts.dkim.checked = true;
  facts.dkim.signatures.resize(2);
  auto& good = facts.dkim.signatures[0];
  good.result = AuthResult::pass;
  good.domain = "example.org";
  good.identity = "@example.org";
  good.selector = "s1";
  good.algorithm = "rsa-sha256";
  good.b = "abcdefgh";
  good.key_bits = 2048;
  facts.dkim.signatures[1].result = AuthResult::fail;
  facts.dkim.signatures[1].reason = "body hash did not verify";
  EXPECT_TRUE(says("dkim=pass (2048-bit key)")) << value();
  EXPECT_TRUE(says("header.d=example.org")) << value();
  EXPECT_TRUE(says("header.s=s1")) << value();
  EXPECT_TRUE(says("dkim=fail reason=\"body hash did not verify\"")) << value();
}

TEST_F(AuthResultsField, DmarcTellsWhatThePublisherAsksFor) {
  facts.dmarc.checked = true;
  facts.dmarc.result = AuthResult::fail;
  facts.dmarc.from_domain = "example.org";
  facts.dmarc.published = "sp";
  facts.dmarc.policy = policies::DmarcDisposition::quarantine;
  EXPECT_TRUE(says("dmarc=fail (sp=quarantine) header.from=example.org policy.dmarc=quarantine")) << value();
}

// D23
TEST_F(AuthResultsField, AStrangersValueStaysOneValue) {
  mail.from = policies::EnvelopeAddress{"a;dmarc=pass", "example.org", "\"a;dmarc=pass\"@example.org"};
  facts.spf.mailfrom = policies::SpfCheck{};
  const auto read = mail::parse_auth_results(value());
  ASSERT_TRUE(read) << value();
  ASSERT_EQ(read->methods.size(), 1u) << value();
  EXPECT_EQ(read->methods[0].method, "spf");
}

}  // namespace
}  // namespace sallyport::session
