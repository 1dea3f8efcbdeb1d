// A record as JSON, and back.
#include "gateway/record/mail_record.h"

#include <gtest/gtest.h>

#include "policies/dmarc/facts.h"
#include "policies/spf/facts.h"

namespace sallyport::record {
namespace {

// Every member has another value than a new record's.
MailRecord full_record() {
  MailRecord record;
  record.subject = Subject::recipient;
  record.outcome = Outcome::tempfail;
  record.stage = policies::Stage::rcpt;
  record.check = "upstream_down";
  record.rule = "a rule";
  record.because = "because \"of\" it";
  record.detail = "connection refused";
  record.code = 451;
  record.dsn = "4.4.1";
  record.reply = "451 4.4.1 Try again later (id X)";
  policies::Transaction& mail = record.transaction;
  mail.id = "01JD3K7Q";
  mail.tenant.name = "acme";
  mail.route.upstream = "exchange";
  mail.client.ip = *IpAddress::parse("2001:db8::1");
  mail.client.port = 25252;
  mail.client.rdns = "mail.example.org";
  mail.client.fcrdns = true;
  mail.client.helo = "mail.example.org";
  mail.client.extended = true;
  mail.client.tls = policies::TlsFacts{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "mx.example.com", true, true, "CN=x"};
  mail.now = WallTime(std::chrono::milliseconds(1'700'000'000'123));
  mail.from = MailAddress{"a b", "example.org"};
  mail.declared_size = 4096;
  mail.smtputf8 = true;
  mail.rcpt = MailAddress{"bob", "example.com"};
  mail.rcpts = {MailAddress{"eve", "example.com"}};
  policies::Verdict verdict = policies::Verdict::reject("5.7.1", "Not him");
  verdict.check = "rules";
  verdict.rule = "NO_BOB";
  verdict.add_headers = {{"X-A", "b"}};
  record.verdicts = {verdict, policies::Verdict::unknown("zen", "timeout")};
  policies::SpfFacts spf;
  spf.mailfrom.emplace().result = policies::AuthResult::softfail;
  spf.mailfrom->domain = "example.org";
  record.facts.put(spf);
  policies::DmarcFacts dmarc;
  dmarc.result = policies::AuthResult::fail;
  dmarc.discovery = policies::DmarcDiscovery::psl;
  dmarc.is_report = true;
  record.facts.put(dmarc);
  record.score = 2.5;
  record.upstream = "10.1.0.5:25";
  record.size = 1234;
  record.took = std::chrono::microseconds(1500);
  record.configuration = "hash";
  return record;
}

const std::vector<const policies::FactsType*> known{&policies::spf_facts, &policies::dmarc_facts};

Result<MailRecord> read(const std::string& json) {
  auto parsed = JsonValue::parse(json);
  if (!parsed) return std::move(parsed).error();
  return from_json(*parsed, known);
}

TEST(MailRecordJson, ReadsBackAsItWas) {
  const std::string json = to_json(full_record());
  const auto back = read(json);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), json);
  EXPECT_EQ(back->subject, Subject::recipient);
  EXPECT_EQ(back->outcome, Outcome::tempfail);
  EXPECT_EQ(back->because, "because \"of\" it");
  EXPECT_EQ(back->took, std::chrono::microseconds(1500));
  EXPECT_EQ(back->transaction.now, full_record().transaction.now);
  EXPECT_EQ(back->transaction.client.tls->bits, 256);
  EXPECT_EQ(back->transaction.rcpts.at(0).local, "eve");
  EXPECT_EQ(back->facts.get<policies::SpfFacts>().mailfrom->domain, "example.org");
  EXPECT_TRUE(back->facts.get<policies::DmarcFacts>().is_report);
}

// A member that fields() forgets is the same in both records' JSON, but not in a new record's.
TEST(MailRecordJson, HasAllMembers) {
  const auto nothing = JsonValue::parse(FieldWriter::json(MailRecord()));
  const auto full = JsonValue::parse(FieldWriter::json(full_record()));
  for (const char* name : {"subject", "outcome", "stage", "check", "rule", "because", "detail", "code", "dsn", "reply",
                           "score", "upstream", "size", "took", "configuration"}) {
    const auto before = nothing->member(name);
    const auto after = full->member(name);
    ASSERT_TRUE(before && after) << name;
    const bool is_same = before->text() == after->text() && before->number() == after->number();
    EXPECT_FALSE(is_same) << name;
  }
  EXPECT_EQ(full->member("verdicts")->size(), 2u);
  const auto mail = full->member("transaction");
  ASSERT_TRUE(mail);
  for (const char* name :
       {"id", "tenant", "route", "client", "now", "from", "declared_size", "smtputf8", "rcpt", "rcpts"})
    EXPECT_TRUE(mail->member(name)) << name;
}

TEST(MailRecordJson, OfAnEmptyRecordReadsBackToo) {
  const std::string json = to_json(MailRecord());
  const auto back = read(json);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), json);
}

TEST(MailRecordJson, ThatIsNoneIsAFailure) {
  EXPECT_FALSE(read("{}"));
  EXPECT_FALSE(read(R"({"record":{},"facts":{"spf":7}})"));
  EXPECT_FALSE(read(R"({"record":{"outcome":"eaten"},"facts":{}})"));
}

}  // namespace
}  // namespace sallyport::record
