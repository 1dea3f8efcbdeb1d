// What SPF tells others: the fields for servers behind us, the explanation, and those who do not know its facts.
#include <gtest/gtest.h>

#include "policies/spf/spf.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

Transaction mail_from(const char* local, const char* domain) {
  Transaction mail = mail_of("192.0.2.1");
  mail.client.helo = "mail.example.org";
  mail.from = MailAddress{local, domain};
  return mail;
}

SpfCheck check_of(AuthResult result, const char* domain) {
  SpfCheck check;
  check.result = result;
  check.domain = domain;
  return check;
}

Facts facts_of(AuthResult result, const char* domain) {
  SpfFacts found;
  found.mailfrom = check_of(result, domain);
  Facts facts;
  facts.put(found);
  return facts;
}

std::string received_spf(const Transaction& mail, const Facts& facts) {
  std::string fields;
  spf_entry.trace_fields(mail, facts, "mx.example.com", fields);
  return fields;
}

TEST(ReceivedSpf, IsLeftOutWhenNothingWasChecked) {
  Facts facts;
  EXPECT_EQ(received_spf(mail_from("ann", "example.org"), facts), "");
  facts.put(SpfFacts());
  EXPECT_EQ(received_spf(mail_from("ann", "example.org"), facts), "");
}

TEST(ReceivedSpf, TellsTheResultOfTheSender) {
  SpfFacts found;
  found.mailfrom = check_of(AuthResult::softfail, "example.org");
  found.mailfrom->mechanism = "~all";
  Facts facts;
  facts.put(found);
  EXPECT_EQ(received_spf(mail_from("ann", "example.org"), facts),
            "Received-SPF: softfail receiver=mx.example.com; identity=mailfrom;\r\n"
            "\tclient-ip=192.0.2.1; envelope-from=\"ann@example.org\"; helo=mail.example.org;\r\n"
            "\tmechanism=~all\r\n");
}

TEST(ReceivedSpf, NamesThePostmasterThatStoodInForANullSender) {
  const std::string field = received_spf(mail_from("", ""), facts_of(AuthResult::none, "mail.example.org"));
  EXPECT_NE(field.find("envelope-from=\"postmaster@mail.example.org\""), std::string::npos) << field;
}

TEST(SpfExplained, SaysWhatThePublisherSays) {
  SpfFacts found;
  found.mailfrom = check_of(AuthResult::fail, "example.org");
  found.mailfrom->mechanism = "-all";
  found.mailfrom->explanation = "Not from there";
  found.helo = check_of(AuthResult::none, "mail.example.org");
  Facts facts;
  facts.put(found);
  const SpfSettings settings;
  const Explained row = spf_entry.explain(mail_from("ann", "example.org"), facts, &settings);
  EXPECT_EQ(row.result, "fail");
  EXPECT_EQ(row.fact, "example.org says -all");
  EXPECT_EQ(row.details,
            (std::vector<std::string>{"they say: Not from there", "HELO: none, mail.example.org publishes no record"}));
  EXPECT_EQ(spf_entry.explain(mail_from("ann", "example.org"), Facts(), &settings).result, "not run");
}

TEST(SpfExplained, SaysWhatWasWrong) {
  SpfFacts found;
  found.mailfrom = check_of(AuthResult::temperror, "example.org");
  found.mailfrom->problem = "TXT of example.org: timeout";
  Facts facts;
  facts.put(found);
  const SpfSettings settings;
  EXPECT_EQ(spf_entry.explain(mail_from("ann", "example.org"), facts, &settings).fact,
            "example.org: TXT of example.org: timeout");
  found.mailfrom = check_of(AuthResult::neutral, "example.org");
  facts.put(found);
  EXPECT_EQ(spf_entry.explain(mail_from("ann", "example.org"), facts, &settings).fact, "example.org: no term matches");
}

TEST(SpfFindings, AreTheWordTheIdentifiersAndEachQuestionOnce) {
  using Method = AuthIdentifier::Method;
  const dns::Question shared{"example.org", dns::Type::TXT};
  const dns::Question other{"_spf.example.org", dns::Type::TXT};
  SpfFacts found;
  found.mailfrom = check_of(AuthResult::pass, "example.org");
  found.mailfrom->evidence = {{shared, {}}, {other, {}}};
  found.helo = check_of(AuthResult::fail, "mail.example.org");
  found.helo->evidence = {{shared, {}}, {{"mail.example.org", dns::Type::TXT}, {}}};
  Facts facts;
  facts.put(found);
  const Findings findings = facts.tell();
  ASSERT_EQ(findings.words.size(), 1u);
  EXPECT_EQ(findings.words[0].first, "spf");
  EXPECT_EQ(findings.words[0].second, "pass");
  ASSERT_EQ(findings.identifiers.size(), 2u);
  EXPECT_EQ(findings.identifiers[0].method, Method::spf_mailfrom);
  EXPECT_EQ(findings.identifiers[0].result, AuthResult::pass);
  EXPECT_EQ(findings.identifiers[0].domain, "example.org");
  EXPECT_EQ(findings.identifiers[1].method, Method::spf_helo);
  EXPECT_EQ(findings.identifiers[1].result, AuthResult::fail);
  EXPECT_EQ(findings.evidence.size(), 3u);
}

}  // namespace
}  // namespace sallyport::policies
