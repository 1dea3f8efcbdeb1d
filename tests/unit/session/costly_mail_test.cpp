// A mail whose author wants it to cost as many DNS questions as can be (threats.md D6): no more than a message has, and
// an answer all the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/signature/sign.h"
#include "lua/engine/settings.h"
#include "policies/arc/validator.h"
#include "policies/dkim/settings.h"
#include "policies/dmarc/tree_walk.h"
#include "policies/dnsbl/settings.h"
#include "policies/policy_list.h"
#include "policies/rdns/settings.h"
#include "tests/unit/session/sealed_mail.h"
#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

constexpr std::size_t per_message = 100;
constexpr unsigned most_sets = 50;  // RFC 8617, 4.2.1
constexpr unsigned signatures = 50;
constexpr unsigned chain_keys = policies::ArcValidator::max_key_names;
const std::string body = "Hello.\r\n";

// Ten hosts, none of them the client, that the domain's mail is received by.
void add_exchangers(support::DnsZone& zone, const std::string& domain) {
  for (unsigned n = 0; n < 10; ++n) {
    const std::string host = "h" + std::to_string(n) + "." + domain;
    zone.mx(domain, 10, host);
    zone.a(host, "198.51.100.1");
  }
}

// Ten included records, each with ten exchangers to be asked for.
void add_sender_of_includes(support::DnsZone& zone, const std::string& domain) {
  std::string policy = "v=spf1";
  for (unsigned n = 0; n < 10; ++n) {
    const std::string part = "i" + std::to_string(n) + "." + domain;
    zone.txt(part, "v=spf1 mx -all");
    add_exchangers(zone, part);
    policy += " include:" + part;
  }
  zone.txt(domain, policy + " -all");
}

// As many look-ups as a record may have, each with ten names to be asked for.
void add_sender_of_exchangers(support::DnsZone& zone, const std::string& domain) {
  std::string policy = "v=spf1";
  for (unsigned n = 0; n < 9; ++n) {
    const std::string part = "m" + std::to_string(n) + "." + domain;
    add_exchangers(zone, part);
    policy += " mx:" + part;
  }
  zone.txt(domain, policy + " ptr -all");
  for (unsigned n = 0; n < 10; ++n) {
    const std::string name = "p" + std::to_string(n) + ".client.example";
    zone.ptr("1.2.0.192.in-addr.arpa", name);
    zone.a(name, "192.0.2.1");
  }
}

// The keys are nowhere, and asked for all the same. Each signature names another; the sets name as many as a chain may,
// or nothing would be asked for it.
std::string costly_content() {
  const std::string fields = "From: <ann@a.b.c.d.e.f.g.h.i.j.k.example>\r\nSubject: hello\r\n";
  const mail::HeaderSection section(fields);
  const auto hash = signature::hash_body(body, {signature::Canonicalization::relaxed, std::nullopt});
  std::string content = fields + "\r\n" + body;
  for (unsigned n = 0; n < signatures; ++n) {
    content.insert(0, signature::sign_dkim(section, hash, {signature::Canonicalization::relaxed, {"From"}},
                                           {"d" + std::to_string(n) + ".example", "s", support::ed25519_key()}));
  }
  for (unsigned n = 0; n < most_sets; ++n) {
    content = sealed(content, "a" + std::to_string(n % chain_keys) + ".example", "fail",
                     n == 0 ? policies::AuthResult::none : policies::AuthResult::pass);
  }
  return content;
}

class CostlyMail : public testing::Test {
 protected:
  CostlyMail() {
    support::DnsZone& zone = world.resolver.zone();
    add_sender_of_includes(zone, "helo.example");
    add_sender_of_exchangers(zone, "sender.example");
    settings::Set& policy = world.settings.policy;
    policy.edit(policies::dnsbl_section).zones["bl.example"].score = 1.0;
    policy.edit(policies::rdns_section).mode = policies::Mode::enforce;
    policy.edit(lua::rules_section).mode = policies::Mode::off;
    for (const policies::PolicyEntry* entry : policies::policy_list()) world.add(*entry);
  }

  // The mail through all the policies there are; what is answered to its end.
  std::string send() {
    world.connect();
    world.say("EHLO helo.example\r\n");
    world.say("MAIL FROM:<ann@sender.example>\r\nRCPT TO:<bob@example.com>\r\n");
    world.say("DATA\r\n");
    return world.say(costly_content() + ".\r\n");
  }
  std::size_t asked() const { return world.resolver.asked().size(); }
  // For names that this is a part of.
  std::size_t asked_with(std::string_view part) const {
    const auto& all = world.resolver.asked();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const dns::Question& question) {
      return question.name.find(part) != std::string::npos;
    }));
  }

  World world;
};

TEST_F(CostlyMail, HasItsQuestionsAndNoMore) {
  EXPECT_EQ(send(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(asked(), per_message);
  EXPECT_EQ(world.counters.get(Violation::dns_budget), 1u);
}

// Or the test before would say little: without that bound it costs far more.
TEST_F(CostlyMail, WouldCostMore) {
  world.settings.limits.dns_per_message = 100000;
  world.settings.limits.dns_per_session = 100000;
  EXPECT_EQ(send(), "250 2.0.0 Stored\r\n");
  EXPECT_GT(asked(), 2 * per_message);
  EXPECT_EQ(world.counters.get(Violation::dns_budget), 0u);
}

// Each check has a bound of its own, so that one of them does not take what the others need.
TEST_F(CostlyMail, IsBoundedInEachCheck) {
  world.settings.limits.dns_per_message = 100000;
  world.settings.limits.dns_per_session = 100000;
  send();
  EXPECT_EQ(asked_with("._domainkey."), world.settings.policy.of(policies::dkim_section).signatures + chain_keys);
  EXPECT_EQ(asked_with("_dmarc."), policies::max_tree_walk_names);
  // SPF has ten look-ups for each of the two names: nine of ten hosts each, or five of these behind an include.
  // Whether the sender can be replied to takes three questions more: MX, A, AAAA.
  EXPECT_EQ(asked_with("sender.example"), 1u + 9 * 11 + 3);
  EXPECT_EQ(asked_with("helo.example"), 1u + 5 * 12);
}

}  // namespace
}  // namespace sallyport::session
