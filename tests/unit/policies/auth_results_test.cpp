// What a relayed mail says about the checks of its sender: the methods of several policies in one field.
#include "gateway/mail/auth_results.h"

#include <gtest/gtest.h>

#include "policies/arc/arc.h"
#include "policies/dkim/dkim.h"
#include "policies/dmarc/dmarc.h"
#include "policies/rdns/rdns.h"
#include "policies/spf/spf.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

class AuthResultsField : public testing::Test {
 protected:
  AuthResultsField() {
    mail.client.ip = *IpAddress::parse("192.0.2.1");
    mail.from = MailAddress{"ann", "example.org"};
  }
  mail::AuthResults results() const {
    mail::AuthResults results;
    results.authserv_id = "mx.example.com";
    for (const PolicyEntry* entry : {&rdns_entry, &spf_entry, &dkim_entry, &dmarc_entry, &arc_entry})
      entry->auth_results(mail, facts, results);
    return results;
  }
  std::string value() const { return mail::auth_results_value(results()); }
  bool says(const std::string& text) const {
    // Folds are where the writer likes them.
    std::string single;
    for (char c : value()) {
      if (c == '\r' || c == '\n') continue;
      if (c == '\t') c = ' ';
      if (c != ' ' || single.empty() || single.back() != ' ') single += c;
    }
    return single.find(text) != std::string::npos;
  }
  void put_sender(SpfCheck check) {
    SpfFacts spf = facts.get<SpfFacts>();
    spf.mailfrom = std::move(check);
    facts.put(spf);
  }

  Transaction mail;
  Facts facts;
};

TEST_F(AuthResultsField, HasNothingWhereNothingWasChecked) { EXPECT_TRUE(results().methods.empty()); }

TEST_F(AuthResultsField, TellsEachMethodInOrder) {
  RdnsFacts rdns;
  rdns.result = AuthResult::pass;
  facts.put(rdns);
  SpfFacts spf;
  spf.mailfrom.emplace().result = AuthResult::softfail;
  spf.helo.emplace().domain = "mail.example.org";
  facts.put(spf);
  facts.put(DkimFacts());
  facts.put(DmarcFacts());
  facts.put(ArcFacts());
  std::vector<std::string> methods;
  for (const auto& method : results().methods) methods.push_back(method.method);
  EXPECT_EQ(methods, (std::vector<std::string>{"iprev", "spf", "spf", "dkim", "dmarc", "arc"}));
  EXPECT_TRUE(says("iprev=pass policy.iprev=192.0.2.1")) << value();
  EXPECT_TRUE(says("spf=softfail smtp.mailfrom=ann@example.org")) << value();
  EXPECT_TRUE(says("spf=none smtp.helo=mail.example.org")) << value();
  EXPECT_TRUE(says("dkim=none")) << value();
  EXPECT_TRUE(says("arc=none")) << value();
}

TEST_F(AuthResultsField, OfANullSenderThePostmasterIsNamed) {
  mail.from = MailAddress{};
  SpfCheck check;
  check.domain = "mail.example.org";
  put_sender(check);
  EXPECT_TRUE(says("smtp.mailfrom=postmaster@mail.example.org")) << value();
}

TEST_F(AuthResultsField, EachSignatureIsTold) {
  DkimFacts dkim;
  dkim.signatures.resize(2);
  auto& good = dkim.signatures[0];
  good.result = AuthResult::pass;
  good.domain = "example.org";
  good.identity = "@example.org";
  good.selector = "s1";
  good.algorithm = "rsa-sha256";
  good.b = "abcdefgh";
  good.key_bits = 2048;
  dkim.signatures[1].result = AuthResult::fail;
  dkim.signatures[1].reason = "body hash did not verify";
  facts.put(dkim);
  EXPECT_TRUE(says("dkim=pass (2048-bit key)")) << value();
  EXPECT_TRUE(says("header.d=example.org")) << value();
  EXPECT_TRUE(says("header.s=s1")) << value();
  EXPECT_TRUE(says("dkim=fail reason=\"body hash did not verify\"")) << value();
}

TEST_F(AuthResultsField, DmarcTellsWhatThePublisherAsksFor) {
  DmarcFacts dmarc;
  dmarc.result = AuthResult::fail;
  dmarc.from_domain = "example.org";
  dmarc.published = DmarcTag::sp;
  dmarc.policy = dmarc.asked_for = DmarcDisposition::quarantine;
  facts.put(dmarc);
  EXPECT_TRUE(says("dmarc=fail (sp=quarantine) header.from=example.org policy.dmarc=quarantine")) << value();
}

// D23
TEST_F(AuthResultsField, AStrangersValueStaysOneValue) {
  mail.from = MailAddress{"a;dmarc=pass", "example.org"};
  put_sender({});
  const auto read = mail::parse_auth_results(value());
  ASSERT_TRUE(read) << value();
  ASSERT_EQ(read->methods.size(), 1u) << value();
  EXPECT_EQ(read->methods[0].method, "spf");
}

}  // namespace
}  // namespace sallyport::policies
