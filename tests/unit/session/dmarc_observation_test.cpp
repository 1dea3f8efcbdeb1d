// What a mail adds to a DMARC report: which mails count, and what the disposition says (RFC 9990, 3.1.1.9).
#include "gateway/session/dmarc_observation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::session {
namespace {

using policies::Action;
using policies::AuthResult;
using policies::DmarcDisposition;

struct Case {
  policies::Transaction mail;
  policies::Facts facts;
  std::vector<policies::Verdict> said;
  std::string outcome = "relay";

  std::optional<io::DmarcObservation> observation() const {
    return dmarc_observation(mail, facts, said, outcome, "treewalk");
  }
  // "reject, local_policy"; "none of it" where there is no observation.
  std::string disposition() const {
    const auto seen = observation();
    if (!seen) return "none of it";
    std::string words = seen->disposition;
    for (const auto& reason : seen->reasons) words += ", " + reason.type;
    return words;
  }
};

Case failing(DmarcDisposition policy) {
  Case one;
  one.mail.client.ip = IpAddress::v4({192, 0, 2, 1});
  one.mail.from = policies::EnvelopeAddress{"bob", "Bounce.example.net", "bob@Bounce.example.net"};
  policies::DmarcFacts& dmarc = one.facts.dmarc;
  dmarc.checked = true;
  dmarc.result = AuthResult::fail;
  dmarc.from_domain = "sub.example.org";
  dmarc.organizational_domain = "example.org";
  dmarc.policy_domain = "example.org";
  dmarc.record = "v=DMARC1; p=reject; rua=mailto:a@example.org";
  dmarc.policy = policy;
  dmarc.effective = policy;
  dmarc.report_to = {"mailto:a@example.org"};
  one.facts.spf.mailfrom = policies::SpfCheck{};
  one.facts.spf.mailfrom->result = AuthResult::softfail;
  one.facts.spf.mailfrom->domain = "bounce.example.net";
  return one;
}

Case& says(Case& one, Action action, std::string_view outcome, bool shadow = false) {
  policies::Verdict verdict;
  verdict.check = "dmarc";
  verdict.action = action;
  verdict.shadow = shadow;
  one.said = {verdict};
  one.outcome = outcome;
  return one;
}

TEST(DmarcObservation, HoldsDomainsAndNoLocalParts) {
  Case one = failing(DmarcDisposition::none);
  policies::DkimFacts::Signature other;
  other.result = AuthResult::pass;
  other.domain = "example.net";
  other.selector = "s2";
  policies::DkimFacts::Signature authors = other;
  authors.result = AuthResult::fail;
  authors.domain = "example.org";
  one.facts.dkim.signatures = {other, authors};
  const auto seen = one.observation();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->policy_domain, "example.org");
  EXPECT_EQ(seen->header_from, "sub.example.org");
  EXPECT_EQ(seen->envelope_from, "bounce.example.net");
  EXPECT_EQ(seen->spf_check, (io::DmarcObservation::Spf{"bounce.example.net", "softfail"}));
  EXPECT_THAT(seen->signatures, testing::ElementsAre(io::DmarcObservation::Signature{"example.org", "s2", "fail"},
                                                     io::DmarcObservation::Signature{"example.net", "s2", "pass"}));
}

TEST(DmarcObservation, IsMadeOnlyWhereSomebodyAsksAndTheMailIsOver) {
  EXPECT_NE(failing(DmarcDisposition::none).disposition(), "none of it");
  for (const char* outcome : {"tempfail", "drop", ""}) {
    Case one = failing(DmarcDisposition::none);
    one.outcome = outcome;
    EXPECT_EQ(one.disposition(), "none of it") << outcome;
  }
  Case quiet = failing(DmarcDisposition::none);
  quiet.facts.dmarc.report_to.clear();
  EXPECT_EQ(quiet.disposition(), "none of it");
  for (AuthResult result : {AuthResult::none, AuthResult::temperror, AuthResult::permerror}) {
    Case one = failing(DmarcDisposition::none);
    one.facts.dmarc.result = result;
    EXPECT_EQ(one.disposition(), "none of it");
  }
}

TEST(DmarcObservation, OfAPassSaysWhetherThePolicyIsEnforced) {
  Case one = failing(DmarcDisposition::reject);
  one.facts.dmarc.result = AuthResult::pass;
  EXPECT_EQ(one.disposition(), "pass");
  one.facts.dmarc.policy = DmarcDisposition::none;
  EXPECT_EQ(one.disposition(), "none");
}

TEST(DmarcObservation, OfAFailSaysWhatWasDoneAndWhyLess) {
  Case one = failing(DmarcDisposition::reject);
  EXPECT_EQ(says(one, Action::reject, "reject").disposition(), "reject");
  EXPECT_EQ(says(one, Action::tag, "tag").disposition(), "quarantine, local_policy");
  EXPECT_EQ(says(one, Action::reject, "relay", true).disposition(), "none, local_policy");
  // A rule has said that the check does not count.
  EXPECT_EQ(says(one, Action::reject, "relay").disposition(), "none, local_policy");
  one = failing(DmarcDisposition::quarantine);
  EXPECT_EQ(says(one, Action::tag, "tag").disposition(), "quarantine");
  // Another check has refused it: not the author's policy.
  one = failing(DmarcDisposition::none);
  one.outcome = "reject";
  EXPECT_EQ(one.disposition(), "none");
}

TEST(DmarcObservation, TellsOfTestModeAndTrustedSealers) {
  Case one = failing(DmarcDisposition::reject);
  one.facts.dmarc.effective = DmarcDisposition::quarantine;
  one.facts.dmarc.override_reason = "policy_test_mode";
  EXPECT_EQ(says(one, Action::tag, "tag").disposition(), "quarantine, policy_test_mode");
  one.facts.dmarc.effective = DmarcDisposition::none;
  one.facts.dmarc.override_reason = "local_policy";
  one.said.clear();
  one.outcome = "relay";
  EXPECT_EQ(one.disposition(), "none, local_policy");
}

}  // namespace
}  // namespace sallyport::session
