// What a mail adds to a DMARC report: which mails count, and what the disposition says (RFC 9990, 3.1.1.9).
#include "gateway/record/dmarc_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/dkim/facts.h"
#include "policies/dmarc/facts.h"
#include "policies/spf/facts.h"

namespace sallyport::record {
namespace {

using policies::Action;
using policies::AuthResult;
using policies::DmarcDisposition;

struct Case {
  policies::DmarcFacts dmarc;
  policies::DkimFacts dkim;
  policies::SpfFacts spf;
  MailRecord record;

  std::optional<io::DmarcObservation> observation() const {
    MailRecord whole = record;
    whole.facts.put(dmarc);
    whole.facts.put(dkim);
    whole.facts.put(spf);
    return dmarc_observation(whole);
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
  one.record.outcome = Outcome::relay;
  one.record.transaction.client.ip = IpAddress::v4({192, 0, 2, 1});
  one.record.transaction.from = MailAddress{"bob", "Bounce.example.net"};
  policies::DmarcFacts& dmarc = one.dmarc;
  dmarc.result = AuthResult::fail;
  dmarc.from_domain = "sub.example.org";
  dmarc.organizational_domain = "example.org";
  dmarc.policy_domain = "example.org";
  dmarc.record = "v=DMARC1; p=reject; rua=mailto:a@example.org";
  dmarc.policy = policy;
  dmarc.effective = policy;
  dmarc.report_to = {"mailto:a@example.org"};
  one.spf.mailfrom = policies::SpfCheck{};
  one.spf.mailfrom->result = AuthResult::softfail;
  one.spf.mailfrom->domain = "bounce.example.net";
  return one;
}

Case& says(Case& one, Action action, Outcome outcome, bool shadow = false) {
  policies::Verdict verdict;
  verdict.check = "dmarc";
  verdict.action = action;
  verdict.shadow = shadow;
  one.record.verdicts = {verdict};
  one.record.outcome = outcome;
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
  one.dkim.signatures = {other, authors};
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
  for (Outcome outcome : {Outcome::tempfail, Outcome::drop}) {
    Case one = failing(DmarcDisposition::none);
    one.record.outcome = outcome;
    EXPECT_EQ(one.disposition(), "none of it") << word(outcome);
  }
  Case quiet = failing(DmarcDisposition::none);
  quiet.dmarc.report_to.clear();
  EXPECT_EQ(quiet.disposition(), "none of it");
  for (AuthResult result : {AuthResult::none, AuthResult::temperror, AuthResult::permerror}) {
    Case one = failing(DmarcDisposition::none);
    one.dmarc.result = result;
    EXPECT_EQ(one.disposition(), "none of it");
  }
}

TEST(DmarcObservation, OfAPassSaysWhetherThePolicyIsEnforced) {
  Case one = failing(DmarcDisposition::reject);
  one.dmarc.result = AuthResult::pass;
  EXPECT_EQ(one.disposition(), "pass");
  one.dmarc.policy = DmarcDisposition::none;
  EXPECT_EQ(one.disposition(), "none");
}

TEST(DmarcObservation, OfAFailSaysWhatWasDoneAndWhyLess) {
  Case one = failing(DmarcDisposition::reject);
  EXPECT_EQ(says(one, Action::reject, Outcome::reject).disposition(), "reject");
  EXPECT_EQ(says(one, Action::tag, Outcome::tag).disposition(), "quarantine, local_policy");
  EXPECT_EQ(says(one, Action::reject, Outcome::relay, true).disposition(), "none, local_policy");
  // A rule has said that the check does not count.
  EXPECT_EQ(says(one, Action::reject, Outcome::relay).disposition(), "none, local_policy");
  one = failing(DmarcDisposition::quarantine);
  EXPECT_EQ(says(one, Action::tag, Outcome::tag).disposition(), "quarantine");
  // Another check has refused it: not the author's policy.
  one = failing(DmarcDisposition::none);
  one.record.outcome = Outcome::reject;
  EXPECT_EQ(one.disposition(), "none");
}

TEST(DmarcObservation, TellsOfTestModeAndTrustedSealers) {
  Case one = failing(DmarcDisposition::reject);
  one.dmarc.effective = DmarcDisposition::quarantine;
  one.dmarc.override_reason = policies::DmarcOverride::policy_test_mode;
  EXPECT_EQ(says(one, Action::tag, Outcome::tag).disposition(), "quarantine, policy_test_mode");
  one.dmarc.effective = DmarcDisposition::none;
  one.dmarc.override_reason = policies::DmarcOverride::local_policy;
  one.record.verdicts.clear();
  one.record.outcome = Outcome::relay;
  EXPECT_EQ(one.disposition(), "none, local_policy");
}

}  // namespace
}  // namespace sallyport::record
