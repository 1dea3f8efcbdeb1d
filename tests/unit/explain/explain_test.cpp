// Stored messages, the envelopes they tell of, and how an explanation is written down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/explain/explain_checks.h"
#include "gateway/explain/explain_json.h"
#include "gateway/explain/explain_text.h"
#include "gateway/explain/stored_message.h"
#include "policies/dkim/dkim.h"
#include "policies/dkim/facts.h"
#include "policies/dmarc/dmarc.h"
#include "policies/policy_list.h"
#include "policies/sections.h"
#include "policies/spf/facts.h"
#include "policies/spf/spf.h"

namespace sallyport::explain {
namespace {

using policies::AuthResult;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

config::Settings settings() {
  config::Settings settings;
  settings.hostname = "mx.example.com";
  settings.tenants["default"] = {"default", {"example.com", "*.example.net"}, "default", {}};
  return settings;
}

Envelope envelope_of(const std::string& content, const GivenEnvelope& options = {}) {
  return make_envelope(options, content, settings());
}

TEST(StoredMessage, LineEnds) {
  const auto unix_file = read_stored_message("A: b\n\nc\n");
  ASSERT_TRUE(unix_file);
  EXPECT_EQ(unix_file->content, "A: b\r\n\r\nc\r\n");
  EXPECT_THAT(unix_file->notes, SizeIs(1));
  const auto mixed = read_stored_message("A: b\r\n\r\nc\nd\r\n");
  ASSERT_TRUE(mixed);
  EXPECT_EQ(mixed->content, "A: b\r\n\r\nc\nd\r\n");
  EXPECT_THAT(mixed->notes, IsEmpty());
}

TEST(StoredMessage, OfAMailbox) {
  const auto message = read_stored_message("From ann@example.org Sun Nov 22 21:55:29 2026\nA: b\n\nc\n");
  ASSERT_TRUE(message);
  EXPECT_THAT(message->content, StartsWith("A: b\r\n"));
  EXPECT_FALSE(read_stored_message("From ann@example.org Sun Nov 22 21:55:29 2026"));
}

TEST(StoredMessage, ThatIsNone) {
  EXPECT_FALSE(read_stored_message(""));
  EXPECT_FALSE(read_stored_message("\n"));
  EXPECT_FALSE(read_stored_message("hello\n"));
  EXPECT_FALSE(read_stored_message(std::string(4096, '\0')));
}

TEST(Envelope, GivenIsNotAssumed) {
  GivenEnvelope options;
  options.ip = IpAddress::v4({192, 0, 2, 1});
  options.helo = "a.example";
  options.from = "";
  options.to = {"bob@example.com"};
  const Envelope envelope = envelope_of("Return-Path: <x@y.example>\r\n\r\n", options);
  EXPECT_EQ(envelope.from, "");
  EXPECT_THAT(envelope.to, ElementsAre("bob@example.com"));
  EXPECT_THAT(envelope.assumed, IsEmpty());
}

TEST(Envelope, OurOwnReceivedFieldKnowsTheClient) {
  const std::string header =
      "Received: from inside.example (x [10.0.0.1]) by store.example\r\n"
      "Received: from out.example (unknown [192.0.2.9])\r\n\tby mx.example.com with ESMTP\r\n\r\n";
  const Envelope ours = envelope_of(header);
  EXPECT_EQ(ours.ip.to_string(), "192.0.2.9");
  EXPECT_EQ(ours.helo, "out.example");
  // Of another client the name would be a lie.
  GivenEnvelope options;
  options.ip = IpAddress::v4({192, 0, 2, 1});
  EXPECT_EQ(envelope_of(header, options).helo, "[192.0.2.1]");
}

TEST(Envelope, ReceivedFieldsThatTellNothing) {
  for (const char* field : {"", "from", "from [", "from x [1.2.3", "by x [192.0.2.1]", "from \x01 [300.1.1.1] by y"}) {
    const Envelope envelope = envelope_of("Received: " + std::string(field) + "\r\n\r\n");
    EXPECT_EQ(envelope.ip.to_string(), "127.0.0.1") << field;
    EXPECT_EQ(envelope.helo, "[127.0.0.1]") << field;
  }
}

TEST(Envelope, RecipientsAreOurs) {
  EXPECT_THAT(envelope_of("To: eve@elsewhere.example\r\nCc: <bob@a.example.net>\r\n\r\n").to,
              ElementsAre("bob@a.example.net"));
  EXPECT_THAT(envelope_of("To: eve@elsewhere.example\r\n\r\n").to, ElementsAre("somebody@example.com"));
}

policies::SpfFacts spf_that_fails() {
  policies::SpfCheck spf;
  spf.result = AuthResult::fail;
  spf.domain = "example.org";
  spf.mechanism = "-all";
  spf.evidence.push_back({{"example.org", dns::Type::TXT}, {dns::Status::ok, {std::string("v=spf1 -all")}, {}, false}});
  policies::SpfFacts facts;
  facts.mailfrom = std::move(spf);
  return facts;
}

Explanation refused(policies::SpfFacts spf = spf_that_fails()) {
  Explanation about;
  about.envelope.ip = IpAddress::v4({192, 0, 2, 7});
  about.envelope.helo = "mail.example.org";
  about.envelope.from = "ann@example.org";
  about.envelope.to = {"bob@example.com"};
  record::MailRecord& record = about.record;
  record.outcome = record::Outcome::reject;
  record.stage = policies::Stage::message;
  record.check = "dmarc";
  record.because = "dmarc=fail";
  record.code = 550;
  about.reply = "550 5.7.1 Rejected (id X)";
  static const settings::Set policy(policies::policy_sections());
  const auto add = [&about](const policies::PolicyEntry& entry, policies::Mode mode) {
    about.checks.push_back({&entry, mode, policy.of(entry.settings)});
  };
  add(policies::spf_entry, policies::Mode::enforce);
  add(policies::dkim_entry, policies::Mode::shadow);
  add(policies::dmarc_entry, policies::Mode::enforce);
  record.facts.put(std::move(spf));
  record.facts.put(policies::DkimFacts());
  policies::Verdict scored = policies::Verdict::scored(2.5, "mailfrom example.org: fail by -all");
  scored.check = "spf";
  record.verdicts = {scored};
  record.score = 2.5;
  about.dialogue = {{"RCPT TO:<bob@example.com>", {"250 2.1.5 Ok"}}};
  return about;
}

TEST(ExplainText, TheDecidingFactFirst) {
  const std::string text = explain_text(refused());
  EXPECT_THAT(text, StartsWith("reject    550 5.7.1 Rejected (id X)\nbecause   dmarc at message: dmarc=fail\n"));
  EXPECT_THAT(text, HasSubstr("\nspf       fail        example.org says -all  score 2.5\n"
                              "            TXT example.org = v=spf1 -all\n"));
  EXPECT_THAT(text, HasSubstr("\ndkim      none        the message is not signed  (shadow: changes nothing)\n"));
  EXPECT_THAT(text, HasSubstr("\ndmarc     not run       <- decided\n"));
  EXPECT_THAT(text, HasSubstr("\nscore     2.5 (tag at 5, quarantine at 10, reject at 15)\n"));
}

TEST(ExplainText, StrangersCannotDrawOnTheTerminal) {
  policies::SpfFacts spf = spf_that_fails();
  spf.mailfrom->evidence[0].answer.records = {std::string("\x1b[2J\r\n\xff\xe2\x80\xae") + "end"};
  spf.mailfrom->explanation = "a\nb";
  const std::string text = explain_text(refused(std::move(spf)));
  EXPECT_THAT(text, HasSubstr("TXT example.org = ?[2J????end\n"));
  EXPECT_THAT(text, HasSubstr("they say: a?b\n"));
}

TEST(ExplainText, IsNeverAWall) {
  policies::SpfFacts spf = spf_that_fails();
  auto& evidence = spf.mailfrom->evidence;
  evidence[0].answer.records = {std::string(5000, 'x')};
  for (int i = 0; i < 90; ++i) {
    evidence.push_back(evidence[0]);
    evidence.back().question.name = std::to_string(i) + ".example.org";
  }
  const Explanation about = refused(std::move(spf));
  const std::string text = explain_text(about);
  EXPECT_LT(text.size(), 3000u);
  EXPECT_THAT(text, HasSubstr("and 83 more questions"));
  const auto json = nlohmann::json::parse(explain_json(about));
  EXPECT_THAT(json["checks"][0]["dns"], SizeIs(91));
}

TEST(ExplainText, TellsARemarkOnce) {
  Explanation about = refused();
  const Remark silence{"fault", "dns_timeout", "no name server has answered in time"};
  about.remarks = {silence, {"violation", "bare_lf", ""}, silence, silence};
  const std::string text = explain_text(about);
  EXPECT_THAT(text, HasSubstr("fault     dns_timeout: no name server has answered in time (3 times)\n"
                              "violation bare_lf\n"));
}

TEST(ExplainJson, Shape) {
  const auto json = nlohmann::json::parse(explain_json(refused()));
  EXPECT_EQ(json["verdict"], "reject");
  EXPECT_EQ(json["passes"], false);
  EXPECT_EQ(json["reply"]["code"], 550);
  EXPECT_EQ(json["checks"][0]["check"], "spf");
  EXPECT_EQ(json["checks"][0]["facts"]["mailfrom"]["mechanism"], "-all");
  EXPECT_EQ(json["checks"][0]["dns"][0]["records"][0], "v=spf1 -all");
  EXPECT_EQ(json["checks"][1]["mode"], "shadow");
  EXPECT_EQ(json["checks"][2]["decided"], true);
  Explanation dropped = refused();
  dropped.reply.clear();
  EXPECT_TRUE(nlohmann::json::parse(explain_json(dropped))["reply"].is_null());
}

}  // namespace
}  // namespace sallyport::explain
