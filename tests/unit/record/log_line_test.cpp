// The log's lines about mails, refused recipients and refused connections (contract.md, section 6).
#include "gateway/record/log_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "policies/dkim/facts.h"
#include "policies/spf/facts.h"
#include "tests/support/lines_log.h"

namespace sallyport::record {
namespace {

using testing::HasSubstr;
using testing::Not;

MailAddress address(const std::string& local, const std::string& domain) { return {local, domain}; }

policies::Verdict said(std::string check, std::string rule, double score, std::string because) {
  policies::Verdict verdict = policies::Verdict::scored(score, std::move(because));
  verdict.check = std::move(check);
  verdict.rule = std::move(rule);
  return verdict;
}

MailRecord tagged_mail() {
  MailRecord record;
  record.outcome = Outcome::tag;
  record.stage = policies::Stage::message;
  record.check = "score";
  record.rule = "rules:OFFER";
  record.because = "7 of 5: rules:OFFER(7) big words";
  record.code = 250;
  record.dsn = "2.0.0";
  record.reply = "250 2.0.0 Stored";
  policies::Transaction& mail = record.transaction;
  mail.id = "01JD3K7Q";
  mail.tenant.name = "acme";
  mail.client.ip = *IpAddress::parse("192.0.2.1");
  mail.client.helo = "client.example";
  mail.from = address("ann", "example.org");
  mail.rcpts = {address("bob", "example.com"), address("eve", "example.com")};
  policies::SpfFacts spf;
  spf.mailfrom.emplace().result = policies::AuthResult::pass;
  record.facts.put(spf);
  record.verdicts = {said("rules", "OFFER", 7, "big words")};
  record.score = 7;
  record.upstream = "10.1.0.5:25";
  record.size = 123;
  record.took = std::chrono::milliseconds(12);
  return record;
}

std::string line_of(const MailRecord& record) {
  support::LinesLog log;
  Counters counters;
  EXPECT_TRUE(LogLine(log, counters).take(record));
  EXPECT_EQ(log.lines.size(), 1u);
  return log.lines.empty() ? std::string() : log.lines.front();
}

class JsonLog final : public Log {
 public:
  bool write(LogLevel level, std::string_view event, const std::vector<LogField>& fields) override {
    line = nlohmann::json::parse(format_line(LogFormat::json, level, event, fields));
    return true;
  }
  nlohmann::json line;
};

nlohmann::json json_of(const MailRecord& record) {
  JsonLog log;
  Counters counters;
  LogLine(log, counters).take(record);
  return log.line;
}

TEST(LogLineOfRecord, OfAMailIsAsTheContractSays) {
  EXPECT_EQ(
      line_of(tagged_mail()),
      "info event=transaction id=01JD3K7Q tenant=acme verdict=tag stage=message code=250 dsn=2.0.0 check=score "
      "rule=rules:OFFER because=\"7 of 5: rules:OFFER(7) big words\" ip=192.0.2.1 rdns=\"\" helo=client.example "
      "from=<ann@example.org> to=<bob@example.com>,<eve@example.com> nrcpt=2 size=123 tls=none spf=pass dkim=\"\" "
      "dmarc=\"\" arc=\"\" dnsbl=\"\" symbols=rules:OFFER(7) score=7 upstream=10.1.0.5:25 ms=12 "
      "reply=\"250 2.0.0 Stored\"");
}

TEST(LogLineOfRecord, HasListsInJson) {
  const nlohmann::json line = json_of(tagged_mail());
  EXPECT_EQ(line["to"], nlohmann::json({"bob@example.com", "eve@example.com"}));
  EXPECT_EQ(line["symbols"], nlohmann::json({"rules:OFFER(7)"}));
  EXPECT_EQ(line["from"], "ann@example.org");
  EXPECT_EQ(line["nrcpt"], 2);
}

TEST(LogLineOfRecord, CountsTheRecipientsThatItHasNoRoomFor) {
  MailRecord record = tagged_mail();
  record.transaction.rcpts.clear();
  for (int n = 0; n < 500; ++n) record.transaction.rcpts.push_back(address("user" + std::to_string(n), "example.com"));
  const std::string line = line_of(record);
  EXPECT_THAT(line, HasSubstr(" to=<user0@example.com>,<user1@example.com>,"));
  EXPECT_THAT(line, HasSubstr(">,+"));
  EXPECT_THAT(line, HasSubstr(" nrcpt=500 "));
  const nlohmann::json to = json_of(record)["to"];
  EXPECT_EQ(to.back(), "+" + std::to_string(500 - (to.size() - 1)));
}

TEST(LogLineOfRecord, OfARecipientNamesItAndItsReason) {
  MailRecord record = tagged_mail();
  record.subject = Subject::recipient;
  record.outcome = Outcome::reject;
  record.stage = policies::Stage::rcpt;
  record.check = "rules";
  record.rule = "NO_CARL";
  record.because = "rule NO_CARL";
  record.code = 553;
  record.dsn = "5.7.1";
  record.reply = "553 5.7.1 Carl reads no mail (id 01JD3K7Q)";
  record.transaction.rcpt = address("carl", "example.com");
  const std::string line = line_of(record);
  EXPECT_THAT(line, HasSubstr("event=recipient id=01JD3K7Q tenant=acme verdict=reject stage=rcpt code=553 dsn=5.7.1 "
                              "check=rules rule=NO_CARL because=\"rule NO_CARL\" "));
  EXPECT_THAT(line, HasSubstr(" from=<ann@example.org> to=<carl@example.com> tls=none "));
  EXPECT_THAT(line, HasSubstr(" reply=\"553 5.7.1 Carl reads no mail (id 01JD3K7Q)\""));
  EXPECT_THAT(line, Not(HasSubstr("nrcpt=")));
  EXPECT_THAT(line, Not(HasSubstr("size=")));
}

TEST(LogLineOfRecord, OfAConnectionHasNoEnvelope) {
  MailRecord record;
  record.subject = Subject::connection;
  record.outcome = Outcome::tempfail;
  record.check = "session_limit";
  record.code = 421;
  record.dsn = "4.7.0";
  record.transaction.id = "01X";
  const std::string line = line_of(record);
  EXPECT_THAT(line, HasSubstr("event=connection id=01X tenant=\"\" verdict=tempfail stage=connect code=421 dsn=4.7.0 "
                              "check=session_limit "));
  for (const char* key : {" from=", " to=", " nrcpt=", " size=", " upstream="}) EXPECT_THAT(line, Not(HasSubstr(key)));
}

TEST(LogLineOfRecord, TellsWhatShadowsWouldHaveDone) {
  MailRecord record = tagged_mail();
  policies::Verdict refuses = policies::Verdict::reject("5.7.1", "No invoices");
  refuses.check = "rules";
  refuses.rule = "WOULD_REFUSE";
  refuses.because = "rule WOULD_REFUSE";
  refuses.shadow = true;
  policies::Verdict scores = said("dnsbl", "zen", 8, "127.0.0.2");
  scores.shadow = true;
  record.verdicts.push_back(refuses);
  record.verdicts.push_back(scores);
  const std::string line = line_of(record);
  EXPECT_THAT(line, HasSubstr(" symbols=rules:OFFER(7),~rules:WOULD_REFUSE,~dnsbl:zen(8) "));
  EXPECT_THAT(line,
              HasSubstr(" shadow=\"rules:WOULD_REFUSE reject: rule WOULD_REFUSE; dnsbl:zen score 8: 127.0.0.2\""));
  EXPECT_THAT(line_of(tagged_mail()), Not(HasSubstr("shadow=")));
}

TEST(LogLineOfRecord, HasTheDetailOfAFailure) {
  MailRecord record = tagged_mail();
  record.detail = "connection refused";
  EXPECT_THAT(line_of(record), HasSubstr(" detail=\"connection refused\""));
  EXPECT_THAT(line_of(tagged_mail()), Not(HasSubstr("detail=")));
}

class FullLog final : public Log {
 public:
  bool write(LogLevel, std::string_view, const std::vector<LogField>&) override { return false; }
};

TEST(LogLineOfRecord, SaysThatItIsNotKept) {
  FullLog log;
  Counters counters;
  EXPECT_FALSE(LogLine(log, counters).take(tagged_mail()));
  EXPECT_EQ(counters.get(Fault::log), 0u) << "the log counts its own losses";
}

}  // namespace
}  // namespace sallyport::record
