// What a relayed mail says about its sender's SPF.
#include "gateway/session/spf_field.h"

#include <gtest/gtest.h>

namespace sallyport::session {
namespace {

policies::Transaction mail_from(const char* local, const char* domain) {
  policies::Transaction mail;
  mail.client.ip = *IpAddress::parse("192.0.2.1");
  mail.client.helo = "mail.example.org";
  mail.from = policies::EnvelopeAddress{local, domain, *domain != '\0' ? std::string(local) + '@' + domain : ""};
  return mail;
}

policies::SpfFacts facts_of(policies::AuthResult result, const char* domain) {
  policies::SpfFacts facts;
  facts.mailfrom = policies::SpfFacts::Check{};
  facts.mailfrom->result = result;
  facts.mailfrom->domain = domain;
  return facts;
}

TEST(SpfField, IsLeftOutWhenNothingWasChecked) {
  EXPECT_EQ(make_spf_field(mail_from("ann", "example.org"), policies::SpfFacts(), "mx.example.com"), "");
}

TEST(SpfField, TellsTheResultOfTheSender) {
  policies::SpfFacts facts = facts_of(policies::AuthResult::softfail, "example.org");
  facts.mailfrom->mechanism = "~all";
  EXPECT_EQ(make_spf_field(mail_from("ann", "example.org"), facts, "mx.example.com"),
            "Received-SPF: softfail receiver=mx.example.com; identity=mailfrom;\r\n"
            "\tclient-ip=192.0.2.1; envelope-from=\"ann@example.org\"; helo=mail.example.org;\r\n"
            "\tmechanism=~all\r\n");
}

TEST(SpfField, NamesThePostmasterThatStoodInForANullSender) {
  const policies::SpfFacts facts = facts_of(policies::AuthResult::none, "mail.example.org");
  const std::string field = make_spf_field(mail_from("", ""), facts, "mx.example.com");
  EXPECT_NE(field.find("envelope-from=\"postmaster@mail.example.org\""), std::string::npos) << field;
}

}  // namespace
}  // namespace sallyport::session
