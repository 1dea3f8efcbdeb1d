// The header that goes upstream: what is put on top, and what pretended to be ours.
#include "gateway/checks/header_out.h"

#include <gtest/gtest.h>

#include "tests/unit/mail/fake_spool.h"

namespace sallyport::checks {
namespace {

class TraceFields : public testing::Test {
 protected:
  // The header as it leaves: what is added, and what stays of `header`.
  std::string outgoing(const std::string& header) {
    mail::Message message({}, spool_);
    message.append(header + "\r\n");
    message.parse_header();
    TraceInfo trace{.received = mail::ReceivedInfo{}, .verdicts = verdicts, .id = "01ID"};
    trace.results = &results;
    trace.policy_fields = policy_fields;
    trace.authserv_ids = {"mx.example.com"};
    const mail::OutgoingHeader out = make_outgoing_header(message, trace);
    left_out_forged = out.left_out_forged;
    is_changed = out.is_changed;
    std::string left;
    for (std::string_view piece : out.below) left += piece;
    added = out.added;
    return left;
  }

  std::vector<policies::Verdict> verdicts;
  mail::AuthResults results{"mx.example.com", {}};
  std::string policy_fields;
  std::string added;
  bool left_out_forged = false;
  bool is_changed = false;

 private:
  mail::FakeSpool spool_;
};

TEST_F(TraceFields, OfVerdictsAreChangesOfTheMailAndOthersAreNone) {
  outgoing("Subject: x\r\n");
  EXPECT_FALSE(is_changed);
  verdicts.emplace_back().add_headers = {{"X-A", "1"}};
  EXPECT_EQ(outgoing("Subject: x\r\n"), "Subject: x\r\n\r\n");
  EXPECT_TRUE(is_changed);
}

TEST_F(TraceFields, ASubjectThatARuleHasWrittenHasTheTagsOfOthers) {
  verdicts.emplace_back().subject_prefix = "[EXT] ";
  verdicts.emplace_back().header_edits = {{"Subject", 0, "gr\u00fcn"}};
  EXPECT_EQ(outgoing("A: b\r\nsubject: x\r\nSubject: y\r\n"), "A: b\r\nsubject: [EXT] =?UTF-8?Q?gr=C3=BCn?=\r\n\r\n");
  EXPECT_EQ(outgoing("A: b\r\n"), "A: b\r\n\r\n");
  EXPECT_NE(added.find("\r\nSubject: [EXT] =?UTF-8?Q?gr=C3=BCn?=\r\n"), std::string::npos) << added;
  EXPECT_EQ(added.find("Subject"), added.rfind("Subject")) << added;
  verdicts.front().subject_prefix = "gr\u00fcn";
  EXPECT_EQ(outgoing("Subject: x\r\n"), "Subject: =?UTF-8?Q?gr=C3=BCn?=\r\n\r\n") << "it begins with the tag";
}

milter::HeaderChange inserted(std::uint32_t index, std::string name, std::string value) {
  return {milter::HeaderChange::Kind::insert, index, {std::move(name), std::move(value)}};
}
milter::HeaderChange changed(std::uint32_t index, std::string name, std::string value) {
  const bool removes = value.empty();
  return {milter::HeaderChange::Kind::change, index, {std::move(name), std::move(value)}, removes};
}

TEST_F(TraceFields, OfMiltersStandWhereTheyWantThem) {
  verdicts.emplace_back().changes =
      milter::Changes{{inserted(0, "X-Above", " 1"), inserted(2, "X-Below", " 2"), {{}, 0, {"X-Last", " a\r\n b"}}},
                      {},
                      {},
                      {},
                      {},
                      {}};
  EXPECT_EQ(outgoing("A: b\r\nc :\r\n\td\r\nno field\r\n"),
            "X-Below: 2\r\nA: b\r\nc :\r\n\td\r\nno field\r\nX-Last: a\r\n b\r\n\r\n");
  EXPECT_NE(added.find("\r\nX-Above: 1\r\n"), std::string::npos) << added;
  EXPECT_LT(added.find("X-Above"), added.find("Received:")) << added;
  EXPECT_TRUE(is_changed);
}

TEST_F(TraceFields, MiltersSeeWhatThoseBeforeHaveLeft) {
  verdicts.emplace_back().changes = milter::Changes{{changed(1, "A", ""), changed(2, "b", " new")}, {}, {}, {}, {}, {}};
  verdicts.emplace_back().changes =
      milter::Changes{{changed(1, "a", " second"), changed(9, "C", " made")}, {}, {}, {}, {}, {}};
  EXPECT_EQ(outgoing("A: 1\r\nB: 2\r\nA: 3\r\nB: 4\r\n"), "B: 2\r\na: second\r\nb: new\r\nC: made\r\n\r\n");
}

TEST_F(TraceFields, MiltersAndRulesChangeOneHeader) {
  verdicts.emplace_back().changes =
      milter::Changes{{changed(1, "Subject", " by a milter"), changed(1, "A", "")}, {}, {}, {}, {}, {}};
  verdicts.emplace_back().header_edits = {{"A", 0, "by a rule"}, {"B", 0, std::nullopt}};
  verdicts.back().subject_prefix = "[x] ";
  EXPECT_EQ(outgoing("A: 1\r\nB: 2\r\nSubject: old\r\nC: 3\r\n"), "Subject: [x] by a milter\r\nC: 3\r\n\r\n");
}

TEST_F(TraceFields, OfAMilterInShadowModeAreNone) {
  verdicts.emplace_back().changes = milter::Changes{{changed(1, "A", "")}, {}, {}, {}, {}, {}};
  verdicts.back().shadow = true;
  EXPECT_EQ(outgoing("A: 1\r\n"), "A: 1\r\n\r\n");
  EXPECT_FALSE(is_changed);
}

// S38
TEST_F(TraceFields, ResultsThatPretendToBeOursAreLeftOut) {
  for (const char* forged : {
           "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org\r\n",
           "authentication-results: MX.Example.Com; none\r\n",
           "Authentication-Results : mx.example.com; none\r\n",
           "Authentication-Results: (x) mx.example.com (y) 1; spf=pass\r\n",
           "Authentication-Results: \"mx.example.com\"; spf=pass\r\n",
           "Authentication-Results:\r\n\tmx.example.com 1;\r\n\tspf=pass\r\n",
           "Authentication-Results: mx.example.com.; spf=pass\r\n",
           "Authentication-Results: \"mx.example.com; spf=pass\r\n",
           "Authentication-Results\r\n : mx.example.com; spf=pass\r\n",
       }) {
    EXPECT_EQ(outgoing(std::string("From: a@b.example\r\n") + forged + "Subject: x\r\n"),
              "From: a@b.example\r\nSubject: x\r\n\r\n")
        << forged;
    EXPECT_TRUE(left_out_forged) << forged;
  }
}

TEST_F(TraceFields, ResultsOfOthersStay) {
  const std::string header =
      "Authentication-Results: mx.example.org; spf=pass\r\n"
      "Authentication-Results: notmx.example.com; spf=pass\r\n"
      "ARC-Authentication-Results: i=1; mx.example.com; spf=pass\r\n"
      "X-Authentication-Results: mx.example.com; spf=pass\r\n";
  EXPECT_EQ(outgoing(header), header + "\r\n");
  EXPECT_FALSE(left_out_forged);
}

TEST_F(TraceFields, FieldsOfOursAreLeftOut) {
  EXPECT_EQ(outgoing("X-Sallyport-Verdict: clean\r\nSubject: x\r\nx-sallyport-any: y\r\n"), "Subject: x\r\n\r\n");
  EXPECT_TRUE(left_out_forged);
}

TEST_F(TraceFields, OursStandOnTopInOrder) {
  results.methods.push_back({.method = "spf", .result = "none"});
  policy_fields = "Received-SPF: none\r\n";
  outgoing("Subject: x\r\n");
  std::size_t last = 0;
  for (const char* name :
       {"X-Sallyport-Id: ", "X-Sallyport-Verdict: ", "Authentication-Results: ", "Received-SPF: ", "Received: "}) {
    const std::size_t at = added.find(name);
    ASSERT_NE(at, std::string::npos) << name << added;
    EXPECT_GE(at, last) << name;
    last = at;
  }
}

TEST_F(TraceFields, WithoutResultsThereIsNoFieldOfThem) {
  outgoing("Subject: x\r\n");
  EXPECT_EQ(added.find("Authentication-Results"), std::string::npos) << added;
}

policies::Verdict said(std::string check, double score, std::string rule = {}) {
  policies::Verdict verdict = policies::Verdict::scored(score, "as told");
  verdict.check = std::move(check);
  verdict.rule = std::move(rule);
  return verdict;
}

TEST_F(TraceFields, TheVerdictHasAllSymbols) {
  verdicts = {said("dnsbl", 8, "zen"), said("rules", 2, "LOTTERY"), said("rate", 0, "mail_per_ip"), said("spf", -1)};
  verdicts[2].shadow = true;
  outgoing("Subject: x\r\n");
  EXPECT_NE(added.find("X-Sallyport-Verdict: clean; score=9.0; "
                       "checks=dnsbl:zen(8),rules:LOTTERY(2),~rate:mail_per_ip,spf(-1)\r\n"),
            std::string::npos)
      << added;
}

// RFC 5322, 2.1.1: no line is longer than 998 octets.
TEST_F(TraceFields, SymbolsThatFillALineAreFolded) {
  for (int n = 0; n < 300; ++n) verdicts.push_back(said("rules", 1, "RULE_" + std::to_string(n)));
  outgoing("Subject: x\r\n");
  for (std::string_view rest = added; !rest.empty();) {
    const std::size_t end = rest.find("\r\n");
    EXPECT_LE(end, 998u);
    rest.remove_prefix(end + 2);
  }
  EXPECT_NE(mail::unfold(added).find("rules:RULE_299(1)"), std::string::npos);
}

TEST_F(TraceFields, EnforcedVerdictsAddTheirFields) {
  verdicts = {said("rules", 1, "ONE"), said("rules", 1, "TWO"), said("rules", 1, "SHADOW")};
  verdicts[0].add_headers = {{"X-One", "1"}};
  verdicts[0].subject_prefix = "[one] ";
  verdicts[1].add_headers = {{"X-Two", "2"}};
  verdicts[1].subject_prefix = "[two] ";
  verdicts[2].add_headers = {{"X-Shadow", "3"}};
  verdicts[2].subject_prefix = "[shadow] ";
  verdicts[2].shadow = true;
  outgoing("From: a@b.example\r\n");
  EXPECT_NE(added.find("X-One: 1\r\nX-Two: 2\r\n"), std::string::npos) << added;
  EXPECT_NE(added.find("Subject: [one] [two] \r\n"), std::string::npos) << added;
  EXPECT_EQ(added.find("X-Shadow"), std::string::npos) << added;
}

}  // namespace
}  // namespace sallyport::checks
