// Chains of our own making: structure, limits, oldest pass, trusted sealers (RFC 8617; threats.md D22).
#include "policies/arc/validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "policies/arc/arc.h"
#include "policies/arc/sealer.h"
#include "policies/arc/trust.h"
#include "tests/support/signing_keys.h"
#include "tests/unit/arc/validated_mail.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string fields = "From: Ann <ann@example.org>\r\nTo: list@lists.example\r\nSubject: hello\r\n";
const std::string body = "Hello all\r\n";

support::DnsZone zone_of(const std::vector<std::string>& domains) {
  support::DnsZone zone;
  for (const std::string& domain : domains)
    zone.txt("arc._domainkey." + domain, support::key_record(support::ed25519_key()));
  return zone;
}

mail::AuthResults results_of(const std::string& domain, const std::string& dmarc) {
  mail::AuthMethod method;
  method.method = "dmarc";
  method.result = dmarc;
  return {"mx." + domain, {method}};
}

// A mail that is handed on: each hop seals what it got, and may change it first.
class Journey {
 public:
  explicit Journey(ArcWorld& world) : world_(world) {}

  std::string message() const { return arc_ + fields_ + "\r\n" + body_; }
  Journey& change_subject(const std::string& subject) {
    fields_ = "From: Ann <ann@example.org>\r\nTo: list@lists.example\r\nSubject: " + subject + "\r\n";
    return *this;
  }
  Journey& change_body(const std::string& text) {
    body_ = text;
    return *this;
  }
  // `validation` stands for what the sealer found, where it is not what is the case.
  Journey& pass(const std::string& domain, const std::string& dmarc, std::optional<AuthResult> validation = {}) {
    ArcFacts found = world_.validate(message());
    if (validation) found.result = *validation;
    return seal(domain, dmarc, found);
  }
  Journey& seal(const std::string& domain, const std::string& dmarc, const ArcFacts& found) {
    const auto sealer = ArcSealer::make({domain, "arc", "arc.key"}, support::ed25519_key_pem());
    EXPECT_TRUE(sealer.ok());
    support::WholeMail mail(message());
    Facts facts;
    facts.put(found);
    const std::vector<signature::BodyHash> hashes{signature::hash_body(body_, sealer->body_form())};
    const auto set = sealer->seal({mail.header(), hashes, facts, results_of(domain, dmarc), mail.transaction().now});
    added_ = set.has_value();
    arc_ = set.value_or("") + arc_;
    return *this;
  }
  bool added() const { return added_; }
  std::string& arc() { return arc_; }

 private:
  ArcWorld& world_;
  std::string arc_;
  std::string fields_ = fields;
  std::string body_ = body;
  bool added_ = false;
};

ArcSettings trusting(std::vector<std::string> sealers) {
  ArcSettings settings;
  settings.trusted_sealers = std::move(sealers);
  return settings;
}

TEST(ArcChain, IsNoneWithoutFields) {
  ArcWorld world;
  const ArcFacts facts = world.validate(fields + "\r\n" + body);
  EXPECT_EQ(facts.result, AuthResult::none);
  EXPECT_TRUE(world.resolver.asked().empty());
}

TEST(ArcChain, PassesWhatWasSealedAndSealedAgain) {
  ArcWorld world(zone_of({"a.example", "b.example"}));
  Journey journey(world);
  journey.pass("a.example", "pass").pass("b.example", "pass");
  const ArcFacts facts = world.validate(journey.message());
  EXPECT_EQ(facts.result, AuthResult::pass) << facts.reason;
  EXPECT_EQ(facts.oldest_pass, 0u);
  ASSERT_EQ(facts.sets.size(), 2u);
  EXPECT_EQ(facts.sets[0].seal_domain, "a.example");
  EXPECT_EQ(facts.sets[0].cv, AuthResult::none);
  EXPECT_EQ(facts.sets[0].results, "mx.a.example; dmarc=pass");
  EXPECT_EQ(facts.sets[0].dmarc, AuthResult::pass);
  EXPECT_EQ(facts.sets[1].message_domain, "b.example");
  EXPECT_EQ(facts.sets[1].cv, AuthResult::pass);
  EXPECT_EQ(facts.evidence.size(), 2u) << "each key once";
}

TEST(ArcChain, TellsHowFarBackTheMailIsAsItWas) {
  ArcWorld world(zone_of({"a.example", "b.example", "c.example"}));
  Journey journey(world);
  journey.pass("a.example", "pass").change_subject("[list] hello").pass("b.example", "pass", AuthResult::pass);
  journey.pass("c.example", "fail");
  const ArcFacts facts = world.validate(journey.message());
  EXPECT_EQ(facts.result, AuthResult::pass) << facts.reason;
  EXPECT_EQ(facts.oldest_pass, 2u);
}

TEST(ArcChain, FailsWhenTheMailWasChangedAfterTheLastSeal) {
  ArcWorld world(zone_of({"a.example"}));
  Journey journey(world);
  journey.pass("a.example", "pass");
  EXPECT_EQ(world.validate(Journey(journey).change_body("Other\r\n").message()).reason,
            "ARC-Message-Signature i=1: body hash did not verify");
  EXPECT_EQ(world.validate(Journey(journey).change_subject("other").message()).reason,
            "ARC-Message-Signature i=1: signature did not verify");
  Journey forged = journey;
  forged.arc().replace(forged.arc().find("dmarc=pass"), 10, "dmarc=fail");
  EXPECT_EQ(world.validate(forged.message()).reason, "ARC-Seal i=1: signature did not verify");
  Journey appended = journey;
  EXPECT_EQ(world.validate(appended.change_body(body + "more\r\n").message()).result, AuthResult::fail);
}

TEST(ArcChain, FailsWhenAKeyCannotBeHad) {
  ArcWorld world(zone_of({"a.example", "b.example"}));
  Journey journey(world);
  journey.pass("a.example", "pass").change_body("x\r\n").pass("b.example", "pass", AuthResult::pass);
  world.resolver.zone() = zone_of({"b.example"});
  EXPECT_EQ(world.validate(journey.message()).reason, "ARC-Seal i=1: no key for signature");
  world.resolver.zone().set("arc._domainkey.a.example", dns::Type::TXT, dns::Status::servfail);
  EXPECT_EQ(world.validate(journey.message()).reason, "ARC-Seal i=1: key look-up failed");
}

TEST(ArcChain, FailsWithGapsAndDoublesWithoutAsking) {
  ArcWorld world(zone_of({"a.example", "b.example"}));
  Journey journey(world);
  journey.pass("a.example", "pass");
  const std::string first = journey.arc();
  journey.pass("b.example", "pass");
  const std::string both = journey.arc();
  const std::string second = both.substr(0, both.size() - first.size());
  world.resolver.forget_asked();
  const std::string rest = fields + "\r\n" + body;
  EXPECT_EQ(world.validate(second + rest).reason, "an ARC set is not whole");
  EXPECT_EQ(world.validate(first + both + rest).reason, "two ARC fields of one instance");
  EXPECT_EQ(world.validate(both.substr(both.find("ARC-Message")) + rest).reason, "an ARC set is not whole");
  std::string malformed = both;
  malformed.replace(malformed.find("ARC-Seal: i=2"), 13, "ARC-Seal: i=0");
  EXPECT_EQ(world.validate(malformed + rest).reason, "ARC-Seal is malformed");
  malformed.replace(malformed.find("ARC-Seal: i=0"), 13, "ARC-Seal: i=51");
  EXPECT_EQ(world.validate(malformed + rest).reason, "ARC-Seal is malformed");
  EXPECT_TRUE(world.resolver.asked().empty());
}

TEST(ArcChain, FailsWithMoreThanFiftySets) {
  ArcWorld world;
  std::string many;
  for (int i = 1; i <= 151; ++i) many += "ARC-Seal: i=" + std::to_string(i) + "\r\n";
  const ArcFacts facts = world.validate(many + fields + "\r\n" + body);
  EXPECT_EQ(facts.result, AuthResult::fail);
  EXPECT_EQ(facts.reason, "more than 50 ARC sets");
  EXPECT_TRUE(facts.sets.empty());
}

TEST(ArcChain, MayHaveFiftySets) {
  ArcWorld world(zone_of({"a.example"}));
  Journey journey(world);
  for (int i = 0; i < 50; ++i) journey.pass("a.example", "pass");
  EXPECT_TRUE(journey.added());
  const ArcFacts facts = world.validate(journey.message());
  EXPECT_EQ(facts.result, AuthResult::pass) << facts.reason;
  EXPECT_EQ(facts.sets.size(), 50u);
  journey.pass("a.example", "pass");
  EXPECT_FALSE(journey.added()) << "nobody may add a fifty-first";
}

TEST(ArcChain, AsksForNoMoreThanTwentyKeys) {
  std::vector<std::string> domains;
  for (int i = 0; i < 21; ++i) domains.push_back("d" + std::to_string(i) + ".example");
  ArcWorld world(zone_of(domains));
  Journey journey(world);
  for (int i = 0; i < 20; ++i) journey.pass(domains[i], "pass");
  EXPECT_EQ(world.validate(journey.message()).result, AuthResult::pass);
  journey.pass(domains[20], "pass");
  world.resolver.forget_asked();
  EXPECT_EQ(world.validate(journey.message()).reason, "ARC-Seal i=21: its key cannot be asked for");
  EXPECT_TRUE(world.resolver.asked().empty());
}

TEST(ArcChain, IsOverOnceASealerFoundItBroken) {
  ArcWorld world(zone_of({"a.example", "b.example"}));
  Journey journey(world);
  journey.pass("a.example", "pass").change_body("Changed\r\n").pass("b.example", "fail");
  EXPECT_TRUE(journey.added());
  EXPECT_NE(journey.arc().find("cv=fail"), std::string::npos);
  EXPECT_EQ(world.validate(journey.message()).reason, "the last sealer found the chain broken");
  journey.pass("a.example", "pass");
  EXPECT_FALSE(journey.added());
}

Duration cpu_now{};
Duration cpu_step{};
Duration slow_clock() { return cpu_now += cpu_step; }

TEST(ArcChain, FailsWhenItTakesTooLong) {
  ArcWorld world(zone_of({"a.example"}), {}, slow_clock);
  Journey journey(world);
  cpu_step = {};
  for (int i = 0; i < 5; ++i) journey.pass("a.example", "pass");
  cpu_step = std::chrono::milliseconds(40);
  const ArcFacts facts = world.validate(journey.message());
  EXPECT_EQ(facts.result, AuthResult::fail);
  EXPECT_NE(facts.reason.find("verification took too long"), std::string::npos) << facts.reason;
}

TEST(TrustedSealer, IsTakenAtItsWord) {
  ArcWorld world(zone_of({"lists.example"}), trusting({"lists.example"}));
  Journey journey(world);
  const ArcFacts facts = world.validate(journey.pass("lists.example", "pass").message());
  EXPECT_THAT(facts.trusted, ElementsAre(1));
  EXPECT_EQ(facts.sets[0].dmarc, AuthResult::pass);

  Journey failed(world);
  const ArcFacts of_failed = world.validate(failed.pass("lists.example", "fail").message());
  EXPECT_THAT(of_failed.trusted, ElementsAre(1));
  EXPECT_EQ(of_failed.sets[0].dmarc, AuthResult::fail);
}

TEST(TrustedSealer, IsNobodyElse) {
  ArcWorld world(zone_of({"other.example", "evillists.example"}), trusting({"lists.example", "*.trusted.example"}));
  Journey other(world);
  EXPECT_EQ(world.validate(other.pass("other.example", "pass").message()).trusted.size(), 0u);
  Journey alike(world);
  EXPECT_EQ(world.validate(alike.pass("evillists.example", "pass").message()).trusted.size(), 0u);
}

TEST(TrustedSealer, IsTakenFromBelowOthersWhileTheMailIsAsItWas) {
  ArcWorld world(zone_of({"lists.example", "other.example"}), trusting({"lists.example"}));
  Journey journey(world);
  journey.pass("lists.example", "pass");
  Journey untouched = journey;
  const ArcFacts facts = world.validate(untouched.pass("other.example", "fail").message());
  EXPECT_EQ(facts.result, AuthResult::pass) << facts.reason;
  EXPECT_THAT(facts.trusted, ElementsAre(1));

  // A chain found somewhere, put on another mail and sealed once more: it holds, and says nothing.
  Journey replayed = journey;
  replayed.change_body("Buy this\r\n").pass("other.example", "fail", AuthResult::pass);
  const ArcFacts of_replayed = world.validate(replayed.message());
  EXPECT_EQ(of_replayed.result, AuthResult::pass) << of_replayed.reason;
  EXPECT_TRUE(of_replayed.trusted.empty());
}

TEST(TrustedSealer, MayRelyOnAnotherTrustedOne) {
  ArcWorld world(zone_of({"lists.example", "forward.example"}), trusting({"lists.example", "forward.example"}));
  Journey journey(world);
  journey.pass("lists.example", "pass")
      .change_subject("[list] hello")
      .pass("forward.example", "fail", AuthResult::pass);
  const ArcFacts facts = world.validate(journey.message());
  EXPECT_EQ(facts.result, AuthResult::pass) << facts.reason;
  EXPECT_EQ(facts.oldest_pass, 2u);
  EXPECT_THAT(facts.trusted, ElementsAre(2, 1)) << "the newest first";
  EXPECT_EQ(facts.sets[0].dmarc, AuthResult::pass);
}

ArcFacts::Set said(const std::string& results) {
  ArcFacts::Set set;
  read_results(results, set);
  return set;
}

TEST(TrustedSealer, IsReadStrictly) {
  const auto dmarc = [](const std::string& results) { return said(results).dmarc; };
  EXPECT_EQ(dmarc("mx.example; spf=fail; dmarc=pass (p=reject) header.from=x.example"), AuthResult::pass);
  EXPECT_EQ(dmarc("mx.example; dmarc=fail; dmarc=pass"), AuthResult::fail) << "the first one is told";
  EXPECT_EQ(dmarc("mx.example; dmarc=bestguesspass"), AuthResult::none);
  EXPECT_EQ(dmarc("mx.example; spf=pass (dmarc=pass)"), AuthResult::none);
  EXPECT_EQ(dmarc("mx.example; dmarc=pass header.from=x.example; ((("), AuthResult::none);
  EXPECT_THAT(said("mx.example; dmarc=pass header.from=x.example; (((").dmarc_passes, IsEmpty());
  EXPECT_THAT(said("mx.example; spf=pass smtp.mailfrom=\"x; dmarc=pass header.from=y.example").spf_passes, IsEmpty());
}

// D24: whatever others have made of its form.
TEST(TrustedSealer, IsReadFromTheFieldItself) {
  const std::string broken = ";\r\n\tdkim=fail (does not verify) header.d=d.example header.b=abcdefgh";
  std::string many;
  for (int i = 0; i < 900; ++i) many += broken;
  for (const std::string& results :
       {std::string("\tmx.lists.example;\r\n\tspf=pass smtp.mailfrom=x.example;\r\n\tdmarc=pass\r\n\theader.from="),
        "mx.lists.example" + many + ";\r\n dmarc=pass header.from=",
        std::string("m\xc3\xbcller.example; dmarc=pass header.from="),
        std::string(
            "m\xfcller.example; spf=pass (M\xfcller) smtp.mailfrom=\"\xfc\"@x.example; dmarc=pass header.from="),
        "mx; spf=pass (" + std::string(60'000, 'c') + ") smtp.mailfrom=x.example; dmarc=pass header.from="}) {
    EXPECT_THAT(said(results + "Author.example").dmarc_passes, ElementsAre("author.example")) << results.substr(0, 80);
  }
  EXPECT_THAT(said("mx; dmarc=pass header.from=stra\xc3\x9f"
                   "e.example")
                  .dmarc_passes,
              ElementsAre("xn--strae-oqa.example"));
  EXPECT_THAT(said("mx; dmarc=pass header.from=ann@author.example").dmarc_passes, ElementsAre("author.example"));
}

TEST(TrustedSealer, IsHeardOnOtherMethodsWhereItSaysNothingOfDmarc) {
  const ArcFacts::Set set = said(
      "mx; dkim=pass header.i=@One.example; dkim=pass header.d=two.example header.i=@three.example; dkim=fail "
      "header.d=x.example;"
      " spf=pass smtp.mailfrom=ann@four.example; spf=pass smtp.helo=five.example");
  EXPECT_EQ(set.dmarc, AuthResult::none);
  EXPECT_THAT(set.dkim_passes, ElementsAre("one.example", "two.example"));
  EXPECT_THAT(set.spf_passes, ElementsAre("four.example"));
  EXPECT_THAT(said("mx; dmarc=none; dkim=pass header.d=one.example").dkim_passes, IsEmpty());
}

// The whole way of a mail through the policy, as a session goes it.
TEST(ArcPolicy, FindsTheFacts) {
  ArcWorld sealers(zone_of({"lists.example"}));
  Journey journey(sealers);
  journey.pass("lists.example", "pass");
  PolicyWorld world;
  world.resolver.zone() = zone_of({"lists.example"});
  ArcSettings settings = trusting({"lists.example"});
  settings.score = 2;
  const auto gatherer = world.prepare(arc_entry, &settings);
  EXPECT_EQ(gatherer->sealer(), nullptr);
  const auto facts_of = [&](const std::string& whole) {
    support::WholeMail mail(whole);
    Facts facts;
    world.gather_message(*gatherer, mail.transaction(), mail.body(), facts);
    const ArcFacts found = facts.get<ArcFacts>();
    const auto said = judge(arc_entry, Stage::message, mail.transaction(), facts, &settings);
    EXPECT_EQ(said.empty() ? 0 : said[0].score, found.result == AuthResult::fail ? 2 : 0);
    return found;
  };
  const ArcFacts good = facts_of(journey.message());
  EXPECT_EQ(good.result, AuthResult::pass) << good.reason;
  EXPECT_THAT(good.trusted, ElementsAre(1));
  EXPECT_EQ(facts_of(journey.change_body("x\r\n").message()).result, AuthResult::fail);
  EXPECT_EQ(facts_of(fields + "\r\n" + body).result, AuthResult::none);
  support::WholeMail plain(fields + "\r\n" + body);
  EXPECT_TRUE(gatherer->begin()->body_forms(plain.transaction()).empty()) << "nothing to hash";
}

}  // namespace
}  // namespace sallyport::policies
