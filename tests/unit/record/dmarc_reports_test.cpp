// What a session tells the DMARC reports (dmarc_rows.h): one observation for each mail that is over and whose author
// asks for it, with what the policies have found of that mail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/record/dmarc_rows.h"
#include "gateway/signature/sign.h"
#include "policies/arc/arc.h"
#include "policies/dkim/dkim.h"
#include "policies/dmarc/dmarc.h"
#include "policies/spf/spf.h"
#include "tests/support/memory_reports.h"
#include "tests/unit/session/sealed_mail.h"
#include "tests/unit/session/world.h"

namespace sallyport::record {
namespace {

using namespace session;

using io::DmarcObservation;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string record = "v=DMARC1; p=reject; rua=mailto:reports@example.org";
const std::string content = "From: Ann <ann@example.org>\r\nSubject: hello\r\n\r\nHello.\r\n";
constexpr std::string_view stored = "250 2.0.0 Stored\r\n";

class DmarcReports : public testing::Test {
 protected:
  // example.org sends from the client's address, as do others.
  DmarcReports() {
    support::DnsZone& zone = world.resolver.zone();
    zone.txt("_dmarc.example.org", record);
    for (const char* sender : {"example.org", "lists.example", "attacker.example"})
      zone.txt(sender, "v=spf1 ip4:192.0.2.1 -all");
  }

  void begin() {
    settings::Set& policy = world.settings.policy;
    policy.edit(policies::arc_section) = arc;
    policy.edit(policies::dmarc_section) = dmarc;
    for (const policies::PolicyEntry* entry :
         {&policies::spf_entry, &policies::dkim_entry, &policies::dmarc_entry, &policies::arc_entry})
      world.add(*entry);
    world.greet();
    world.host->sinks.push_back(&rows);
  }
  // A whole mail in the session that has begun; what is answered to its end.
  std::string mail(const std::string& sender, const std::string& octets = content) {
    world.say("MAIL FROM:<bounce@" + sender + ">\r\nRCPT TO:<bob@example.com>\r\n");
    world.say("DATA\r\n");
    return world.say(octets + ".\r\n");
  }
  // What every observation of these mails has in common.
  static DmarcObservation from(const std::string& sender) {
    DmarcObservation seen;
    seen.policy_domain = "example.org";
    seen.record = record;
    seen.discovery = "treewalk";
    seen.source_ip = *IpAddress::parse("192.0.2.1");
    seen.header_from = "example.org";
    seen.envelope_from = sender;
    seen.spf_check = DmarcObservation::Spf{sender, "pass"};
    return seen;
  }

  policies::ArcSettings arc;
  policies::DmarcSettings dmarc;
  support::MemoryReports reports;
  World world;
  DmarcRows rows{reports, world.counters, [this](std::string_view tenant) { return tenant != silent_tenant; }};
  std::string silent_tenant = "none";
};

TEST_F(DmarcReports, HearOfAMailThatIsRelayed) {
  begin();
  EXPECT_EQ(mail("example.org"), stored);
  DmarcObservation expected = from("example.org");
  expected.disposition = "pass";
  expected.spf = true;
  EXPECT_THAT(reports.mails, ElementsAre(expected));
  EXPECT_THAT(reports.times, ElementsAre(world.clock.wall_now()));
}

TEST_F(DmarcReports, HearOfItsSignatures) {
  const auto& key = support::ed25519_key();
  world.resolver.zone().txt("s._domainkey.example.org", support::key_record(key));
  support::WholeMail whole(content);
  const auto hash = signature::hash_body(whole.body(), {signature::Canonicalization::relaxed, std::nullopt});
  const std::string field = signature::sign_dkim(
      whole.header(), hash, {signature::Canonicalization::relaxed, {"From", "Subject"}}, {"example.org", "s", key});
  begin();
  EXPECT_EQ(mail("lists.example", field + content), stored);
  DmarcObservation expected = from("lists.example");
  expected.disposition = "pass";
  expected.dkim = true;
  expected.signatures = {{"example.org", "s", "pass"}};
  EXPECT_THAT(reports.mails, ElementsAre(expected));
}

TEST_F(DmarcReports, HearOfAMailThatIsRefused) {
  begin();
  EXPECT_THAT(mail("attacker.example"), testing::StartsWith("550 5.7.1 Rejected by the DMARC policy of example.org"));
  DmarcObservation expected = from("attacker.example");
  expected.disposition = "reject";
  EXPECT_THAT(reports.mails, ElementsAre(expected));
}

TEST_F(DmarcReports, HearWhyAMailWasLetThrough) {
  arc.trusted_sealers = {"lists.example"};
  publish_seal_key(world.resolver.zone(), "lists.example");
  begin();
  EXPECT_EQ(mail("lists.example", sealed(content, "lists.example")), stored);
  DmarcObservation expected = from("lists.example");
  expected.disposition = "none";
  expected.reasons = {{"local_policy", "arc=pass as[1].d=lists.example"}};
  EXPECT_THAT(reports.mails, ElementsAre(expected));
}

TEST_F(DmarcReports, HearThatAShadowRefusesNothing) {
  dmarc.mode = policies::Mode::shadow;
  begin();
  EXPECT_EQ(mail("attacker.example"), stored);
  DmarcObservation expected = from("attacker.example");
  expected.disposition = "none";
  expected.reasons = {{"local_policy", ""}};
  EXPECT_THAT(reports.mails, ElementsAre(expected));
}

// Whoever counts the rows has to know them again.
TEST_F(DmarcReports, OfEqualMailsAreEqualAndTheOthersAreNot) {
  begin();
  EXPECT_EQ(mail("example.org"), stored);
  mail("attacker.example");
  EXPECT_EQ(mail("example.org"), stored);
  ASSERT_EQ(reports.mails.size(), 3u);
  EXPECT_EQ(reports.mails[0], reports.mails[2]);
  EXPECT_NE(reports.mails[0], reports.mails[1]);
}

TEST_F(DmarcReports, HearNothingOfWhoDoesNotAsk) {
  world.resolver.zone().txt("_dmarc.example.net", "v=DMARC1; p=reject");
  begin();
  EXPECT_EQ(mail("example.org"), stored);
  EXPECT_THAT(mail("attacker.example", "From: <ann@example.net>\r\n\r\nHello.\r\n"), testing::StartsWith("550 "));
  EXPECT_EQ(mail("attacker.example", "From: <ann@example.com>\r\n\r\nHello.\r\n"), stored);
  EXPECT_EQ(reports.mails.size(), 1u) << "of the first";
}

TEST_F(DmarcReports, HearNothingOfAMailThatIsPutOff) {
  world.upstream.queued["."] = {"452 4.2.2 Mailbox full\r\n"};
  begin();
  EXPECT_THAT(mail("example.org"), testing::StartsWith("452 "));
  EXPECT_THAT(reports.mails, IsEmpty());
  EXPECT_EQ(mail("example.org"), stored) << "now it has come again";
  EXPECT_EQ(reports.mails.size(), 1u);
}

TEST_F(DmarcReports, HearNothingOfAMailThatWasNotFinished) {
  begin();
  world.say("MAIL FROM:<bounce@example.org>\r\nRCPT TO:<bob@example.com>\r\nRSET\r\n");
  world.say("MAIL FROM:<bounce@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
  world.say("DATA\r\n");
  world.say(content);
  world.client->end();
  world.loop.run();
  EXPECT_TRUE(world.is_over());
  EXPECT_THAT(reports.mails, IsEmpty());
}

TEST_F(DmarcReports, HearNothingOfATenantWithoutThem) {
  silent_tenant = "default";
  begin();
  EXPECT_EQ(mail("example.org"), stored);
  EXPECT_THAT(reports.mails, IsEmpty());
}

// Without reports the mails go the same way.
TEST_F(DmarcReports, MayBeOff) {
  begin();
  world.host->sinks.pop_back();
  EXPECT_EQ(mail("example.org"), stored);
  EXPECT_THAT(mail("attacker.example"), testing::StartsWith("550 5.7.1 "));
  EXPECT_THAT(reports.mails, IsEmpty());
}

}  // namespace
}  // namespace sallyport::record
