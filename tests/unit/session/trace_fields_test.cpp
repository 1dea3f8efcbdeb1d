// The header that goes upstream: what is put on top, and what pretended to be ours.
#include "gateway/session/trace_fields.h"

#include <gtest/gtest.h>

#include "tests/unit/mail/fake_spool.h"

namespace sallyport::session {
namespace {

class TraceFields : public testing::Test {
 protected:
  // The header as it leaves: what is added, and what stays of `header`.
  std::string outgoing(const std::string& header) {
    mail::Message message({}, spool_);
    message.append(header + "\r\n");
    message.parse_header();
    const TraceInfo trace{{}, verdicts_, "01ID", false, 0, "", auth_results, received_spf, {}, {"mx.example.com"}};
    const OutgoingHeader out = make_outgoing_header(message, trace);
    left_out_forged = out.left_out_forged;
    std::string left;
    for (std::string_view piece : out.original) left += piece;
    added = out.added;
    return left;
  }

  std::string auth_results;
  std::string received_spf;
  std::string added;
  bool left_out_forged = false;

 private:
  mail::FakeSpool spool_;
  std::vector<policies::Verdict> verdicts_;
};

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
  auth_results = "Authentication-Results: mx.example.com; none\r\n";
  received_spf = "Received-SPF: none\r\n";
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

}  // namespace
}  // namespace sallyport::session
