// The verifier's own rules: look-ups, limits, coverage, testing keys (threats.md D15-D20).
#include "policies/dkim/verifier.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/base/base64.h"
#include "gateway/crypto/digest.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/sign.h"
#include "policies/dkim/dkim.h"
#include "tests/support/signing_keys.h"
#include "tests/unit/dkim/verified_mail.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

using signature::Canonicalization;

const std::string fields = "From: Ann <ann@example.org>\r\nTo: bob@example.com\r\nSubject: hello\r\n";
const std::string body = "Hello  Bob,\r\n\r\nhow are you?\r\n";
constexpr const char* key_name = "sel._domainkey.example.org";
constexpr std::uint64_t sent_at = 1795262400;  // 2026-11-21, noon: a day before it comes

struct Signing {
  std::string domain = "example.org";
  std::string selector = "sel";
  signature::BodyForm body_form{Canonicalization::relaxed, std::nullopt};
  std::vector<std::string> names{"From", "To", "Subject"};
  std::uint64_t signed_at = sent_at;
  const crypto::PrivateKey& key = support::rsa_key();
};

std::string signature_of(const Signing& signing, const std::string& of_fields = fields,
                         const std::string& of_body = body) {
  const mail::HeaderSection section(of_fields);
  return signature::sign_dkim(section, signature::hash_body(of_body, signing.body_form),
                              {Canonicalization::relaxed, signing.names, signing.signed_at},
                              {signing.domain, signing.selector, signing.key});
}

std::string message(const std::string& signatures, const std::string& of_fields = fields,
                    const std::string& of_body = body) {
  return signatures + of_fields + "\r\n" + of_body;
}

// One more tag, which its signature knows nothing of.
std::string with_tag(std::string field, const std::string& tag) {
  return field.replace(field.find("v=1;"), 4, "v=1; " + tag + ';');
}

class DkimVerification : public testing::Test {
 protected:
  DkimVerification() { world_.resolver.zone().txt(key_name, support::key_record(support::rsa_key())); }

  DkimFacts::Signature only(const std::string& whole) {
    const DkimFacts facts = world_.verify(whole);
    EXPECT_EQ(facts.signatures.size(), 1u);
    return facts.signatures.empty() ? DkimFacts::Signature() : facts.signatures.front();
  }
  void publish(const std::string& text) {
    support::DnsZone zone;
    zone.txt(key_name, text);
    world_.resolver.zone() = zone;
  }

  DkimWorld world_;
};

void expect(const DkimFacts::Signature& signature, AuthResult result, std::string_view reason) {
  EXPECT_EQ(word(signature.result), word(result));
  EXPECT_EQ(signature.reason, reason);
}

TEST_F(DkimVerification, KeepsTheEvidence) {
  const DkimFacts facts = world_.verify(message(signature_of({})));
  ASSERT_EQ(facts.signatures.size(), 1u);
  const DkimFacts::Signature& signature = facts.signatures.front();
  expect(signature, AuthResult::pass, "");
  EXPECT_EQ(signature.domain, "example.org");
  EXPECT_EQ(signature.selector, "sel");
  EXPECT_EQ(signature.identity, "@example.org");
  EXPECT_EQ(signature.algorithm, "rsa-sha256");
  EXPECT_EQ(signature.canonicalization, "relaxed/relaxed");
  EXPECT_EQ(signature.key_bits, 2048u);
  EXPECT_EQ(signature.b.size(), 8u);
  EXPECT_EQ(signature.body_hash, to_base64(crypto::sha256("Hello Bob,\r\n\r\nhow are you?\r\n")));
  EXPECT_EQ(signature.header_hash.size(), 44u);
  EXPECT_TRUE(signature.header_input_start.starts_with("from:Ann <ann@example.org>\r\nto:bob@example.com\r\n"));
  ASSERT_EQ(facts.evidence.size(), 1u);
  EXPECT_EQ(facts.evidence[0].question, (dns::Question{key_name, dns::Type::TXT}));
  EXPECT_TRUE(facts.evidence[0].answer.found());
}

TEST_F(DkimVerification, FindsNothingInMailWithoutSignatures) {
  const DkimFacts facts = world_.verify(message(""));
  EXPECT_TRUE(facts.signatures.empty());
  EXPECT_EQ(facts.fields_found, 0u);
  EXPECT_TRUE(world_.resolver.asked().empty());
}

TEST_F(DkimVerification, AsksForAKeyOnceAndForThoseItNeedsOnly) {
  const std::string good = signature_of({});
  std::string broken = good;
  broken.replace(broken.find("v=1"), 3, "v=2");
  const DkimFacts facts = world_.verify(message(good + broken + good));
  EXPECT_EQ(facts.signatures.size(), 3u);
  EXPECT_EQ(world_.resolver.asked().size(), 1u);
}

TEST_F(DkimVerification, JudgesTheKeyBeforeTheBody) {
  const std::string changed = message(signature_of({}), fields, body + "more\r\n");
  expect(only(changed), AuthResult::fail, "body hash did not verify");
  publish("v=DKIM1; p=");
  expect(only(changed), AuthResult::permerror, "key revoked");
  // Whatever the key may be, the body is not the one that was signed.
  world_.resolver.zone().set(key_name, dns::Type::TXT, dns::Status::timeout);
  expect(only(changed), AuthResult::fail, "body hash did not verify");
}

TEST_F(DkimVerification, TellsAFailedLookUpFromAnAbsentKey) {
  const std::string whole = message(signature_of({}));
  world_.resolver.zone() = {};
  expect(only(whole), AuthResult::permerror, "no key for signature");
  world_.resolver.zone().set(key_name, dns::Type::TXT, dns::Status::no_data);
  expect(only(whole), AuthResult::permerror, "no key for signature");
  world_.resolver.zone().set(key_name, dns::Type::TXT, dns::Status::servfail);
  expect(only(whole), AuthResult::temperror, "key look-up failed");
  world_.resolver.zone().set(key_name, dns::Type::TXT, dns::Status::timeout);
  expect(only(whole), AuthResult::temperror, "key look-up timed out");
  world_.resolver.zone().set(key_name, dns::Type::TXT, dns::Status::budget);
  expect(only(whole), AuthResult::temperror, "key not looked up: too many DNS questions");
}

TEST_F(DkimVerification, RefusesKeysOutsideTheLimits) {
  const std::string whole = message(signature_of({}));
  publish("v=DKIM1; p=");
  expect(only(whole), AuthResult::permerror, "key revoked");
  publish(support::key_record(support::ed25519_key()));
  expect(only(whole), AuthResult::permerror, "key is of another type than the signature");
  publish(support::key_record(support::rsa_key()) + "; n=" + std::string(4096, 'x'));
  expect(only(whole), AuthResult::permerror, "key record over 4096 octets");
  publish("v=DKIM1; k=rsa; p=" + to_base64("\x30\x0d\x02\x08" + std::string(8, '\x55') + "\x02\x01\x03"));
  expect(only(whole), AuthResult::permerror, "RSA key under 1024 bits");
}

TEST_F(DkimVerification, RefusesRsaSha1) {
  std::string sha1 = signature_of({});
  sha1.replace(sha1.find("rsa-sha256"), 10, "rsa-sha1");
  const std::size_t hash = sha1.find("bh=") + 3;
  sha1.replace(hash, 44, to_base64(std::string(20, 'x')));
  expect(only(message(sha1)), AuthResult::permerror, "rsa-sha1 is not accepted");
  EXPECT_TRUE(world_.resolver.asked().empty());
}

TEST_F(DkimVerification, FindsTheKeyAmongOtherRecords) {
  support::DnsZone zone;
  zone.txt(key_name, "v=spf1 -all");
  zone.txt(key_name, support::key_record(support::ed25519_key()));
  zone.txt(key_name, support::key_record(support::rsa_key(1024)));
  zone.txt(key_name, support::key_record(support::rsa_key()));
  world_.resolver.zone() = zone;
  expect(only(message(signature_of({}))), AuthResult::pass, "");
}

TEST_F(DkimVerification, TriesNoMoreThanThreeKeys) {
  support::DnsZone zone;
  for (const char* note : {"n=1; ", "n=2; ", "n=3; "})
    zone.txt(key_name, note + support::key_record(support::rsa_key(1024)).substr(9));
  zone.txt(key_name, support::key_record(support::rsa_key()));
  world_.resolver.zone() = zone;
  expect(only(message(signature_of({}))), AuthResult::fail, "signature did not verify");
}

TEST_F(DkimVerification, HoldsKeysToTheirFlags) {
  const std::string field = signature_of({});
  publish(support::key_record(support::rsa_key()) + "; t=y");
  EXPECT_TRUE(only(message(field)).testing);
  publish(support::key_record(support::rsa_key()) + "; t=s");
  expect(only(message(field)), AuthResult::pass, "");
  expect(only(message(with_tag(field, "i=@sub.example.org"))), AuthResult::permerror, "key does not allow i= below d=");
  publish(support::key_record(support::rsa_key()) + "; h=sha1");
  expect(only(message(signature_of({}))), AuthResult::permerror, "key is not for sha256");
}

TEST_F(DkimVerification, NeverPassesABodyThatIsSignedInPart) {
  Signing part;
  part.body_form.length = 10;
  expect(only(message(signature_of(part))), AuthResult::policy, "l= leaves the end of the body unsigned");
  expect(only(message(signature_of(part), fields, body + "added\r\n")), AuthResult::policy,
         "l= leaves the end of the body unsigned");
  expect(only(message(signature_of(part), fields, "Hallo Bob,\r\n")), AuthResult::fail, "body hash did not verify");
  expect(only(message(signature_of(part), fields, "Hello\r\n")), AuthResult::permerror, "l= is longer than the body");

  part.body_form.length = signature::hash_body(body, {Canonicalization::relaxed, {}}).canonical_octets;
  expect(only(message(signature_of(part))), AuthResult::pass, "");
  expect(only(message(signature_of(part), fields, body + "added\r\n")), AuthResult::policy,
         "l= leaves the end of the body unsigned");
}

TEST_F(DkimVerification, NeverPassesAFromThatIsNotSigned) {
  const std::string field = signature_of({});
  expect(only(message(field, "From: Eve <eve@example.com>\r\n" + fields)), AuthResult::policy,
         "a From field is not signed");
  expect(only(message(field, fields + "From: Eve <eve@example.com>\r\n")), AuthResult::fail,
         "signature did not verify");
  Signing oversigned;
  oversigned.names = {"From", "From", "To"};
  expect(only(message(signature_of(oversigned), "From: Eve <eve@example.com>\r\n" + fields)), AuthResult::fail,
         "signature did not verify");
}

TEST_F(DkimVerification, NeverPassesTimesThatDoNotFit) {
  const auto at = [this](std::uint64_t signed_at, const std::string& expires) {
    Signing signing;
    signing.signed_at = signed_at;
    const std::string field = signature_of(signing);
    return only(message(expires.empty() ? field : with_tag(field, "x=" + expires))).reason;
  };
  const std::uint64_t now = sent_at + 86400;
  EXPECT_EQ(at(now + 300, ""), "");
  EXPECT_EQ(at(now + 301, ""), "signed in the future");
  EXPECT_EQ(at(999999999999, ""), "signed in the future");
  EXPECT_EQ(at(sent_at, std::to_string(now - 301)), "signature has expired");
  EXPECT_EQ(at(sent_at, std::to_string(now - 300)), "signature did not verify") << "x= was added after signing";
  EXPECT_EQ(at(sent_at, std::to_string(sent_at)), "x= is not after t=");
}

TEST_F(DkimVerification, ExpiresNothingByAClockThatIsSuspect) {
  const std::uint64_t now = sent_at + 86400;
  Signing in_the_future;
  in_the_future.signed_at = now + 1'000'000;
  const std::string expired = with_tag(signature_of({}), "x=" + std::to_string(now - 1000));
  world_.is_clock_suspect = true;
  expect(only(message(signature_of(in_the_future))), AuthResult::pass, "");
  EXPECT_EQ(only(message(expired)).reason, "signature did not verify") << "x= was added after signing";
  world_.is_clock_suspect = false;
  EXPECT_EQ(only(message(signature_of(in_the_future))).reason, "signed in the future");
}

TEST_F(DkimVerification, NeverPassesAPublicSuffix) {
  for (const char* domain : {"org", "co.uk", "localhost"}) {
    Signing signing;
    signing.domain = domain;
    world_.resolver.zone().txt(std::string("sel._domainkey.") + domain, support::key_record(support::rsa_key()));
    expect(only(message(signature_of(signing))), AuthResult::policy, "d= is a public suffix");
  }
  // Where companies let others register is no public suffix for this (threats.md D18: the ICANN section).
  Signing signing;
  signing.domain = "github.io";
  world_.resolver.zone().txt("sel._domainkey.github.io", support::key_record(support::rsa_key()));
  expect(only(message(signature_of(signing))), AuthResult::pass, "");
}

TEST_F(DkimVerification, VerifiesTheFirstTenOfAllItCounts) {
  Signing other;
  other.selector = "other";  // without a key
  std::string signatures;
  for (int i = 0; i < 10; ++i) signatures += signature_of(other);
  const DkimFacts facts = world_.verify(message(signatures + signature_of({})));
  EXPECT_EQ(facts.fields_found, 11u);
  EXPECT_EQ(world_.counters.get(Violation::dkim_many), 1u);
  EXPECT_EQ(world_.log.count({"violation", "dkim_many"}), 1u);
  EXPECT_EQ(facts.signatures.size(), 10u);
  EXPECT_EQ(best_result(facts), AuthResult::permerror);
}

TEST_F(DkimVerification, TellsSignaturesApart) {
  const std::string first = signature_of({});
  Signing later;
  later.signed_at += 1;
  DkimFacts facts = world_.verify(message(first + signature_of(later) + first));
  ASSERT_EQ(facts.signatures.size(), 3u);
  EXPECT_NE(facts.signatures[0].b, facts.signatures[1].b);
  EXPECT_EQ(facts.signatures[0].b, facts.signatures[2].b);
  // Two whose first eleven are the same.
  std::string alike = first;
  char& twelfth = alike[alike.find(" b=") + 3 + 11];
  twelfth = twelfth == 'A' ? 'B' : 'A';
  facts = world_.verify(message(first + alike));
  EXPECT_NE(facts.signatures[0].b, facts.signatures[1].b);
  EXPECT_EQ(facts.signatures[0].b.size(), 12u);
}

// A clock that a test moves: each look at it takes so long.
Duration cpu_now{};
Duration cpu_step{};
Duration slow_clock() { return cpu_now += cpu_step; }

TEST_F(DkimVerification, StopsWhenItTakesTooLong) {
  DkimVerifier slow(DkimSettings(), public_suffixes(), world_.keys, slow_clock);
  cpu_step = std::chrono::milliseconds(60);
  support::WholeMail mail(message(signature_of({}) + signature_of({}) + signature_of({}) + signature_of({})));
  const DkimFacts facts =
      world_.verify(slow, mail, {signature::hash_body(mail.body(), {Canonicalization::relaxed, std::nullopt})});
  ASSERT_EQ(facts.signatures.size(), 4u);
  expect(facts.signatures.front(), AuthResult::pass, "");
  expect(facts.signatures.back(), AuthResult::temperror, "verification took too long");
}

// D20: DKIM and ARC share the time of a mail.
TEST_F(DkimVerification, HasNoMoreThanOtherPoliciesLeave) {
  DkimVerifier slow(DkimSettings(), public_suffixes(), world_.keys, slow_clock);
  cpu_step = std::chrono::milliseconds(30);
  Duration taken = std::chrono::milliseconds(150);
  world_.verifying = &taken;
  support::WholeMail mail(message(signature_of({}) + signature_of({})));
  const DkimFacts facts =
      world_.verify(slow, mail, {signature::hash_body(mail.body(), {Canonicalization::relaxed, std::nullopt})});
  ASSERT_EQ(facts.signatures.size(), 2u);
  expect(facts.signatures[0], AuthResult::pass, "");
  expect(facts.signatures[1], AuthResult::temperror, "verification took too long");
  EXPECT_EQ(taken, std::chrono::milliseconds(210));
}

TEST_F(DkimVerification, LetsOthersHaveTheLoopBetweenSignatures) {
  const std::string whole = message(signature_of({}) + signature_of({}) + signature_of({}));
  const auto waited = [&](Duration each) {
    DkimVerifier slow(DkimSettings(), public_suffixes(), world_.keys, slow_clock);
    cpu_step = each;
    support::WholeMail mail(whole);
    const Time begun = world_.loop.now();
    const DkimFacts facts =
        world_.verify(slow, mail, {signature::hash_body(mail.body(), {Canonicalization::relaxed, std::nullopt})});
    EXPECT_EQ(facts.signatures.at(2).result, AuthResult::pass);
    return world_.loop.now() - begun;
  };
  EXPECT_EQ(waited(std::chrono::microseconds(100)), Duration::zero()) << "an ordinary mail is verified at once";
  EXPECT_GE(waited(std::chrono::milliseconds(3)), std::chrono::milliseconds(3)) << "once for each";
}

// D18: as the author it names.
TEST_F(DkimVerification, LetsAPublicSuffixSpeakForItselfOnly) {
  world_.resolver.zone().txt("sel._domainkey.co.uk", support::key_record(support::rsa_key()));
  for (const auto& [from, result] :
       std::initializer_list<std::pair<const char*, AuthResult>>{{"press@co.uk", AuthResult::pass},
                                                                 {"Press office <press@CO.UK>", AuthResult::pass},
                                                                 {"mayor@town.co.uk", AuthResult::policy},
                                                                 {"press@co.uk, mayor@town.co.uk", AuthResult::policy},
                                                                 {"press@uk", AuthResult::policy},
                                                                 {"press", AuthResult::policy}}) {
    const std::string of_suffix = "From: " + std::string(from) + "\r\nSubject: hello\r\n";
    Signing signing;
    signing.domain = "co.uk";
    const DkimFacts::Signature found = only(message(signature_of(signing, of_suffix), of_suffix));
    EXPECT_EQ(found.result, result) << from;
    if (result == AuthResult::policy) EXPECT_EQ(found.reason, "d= is a public suffix") << from;
  }
}

TEST_F(DkimVerification, IsNeverAPassWithoutTheBodysDigest) {
  support::WholeMail mail(message(signature_of({})));
  const DkimFacts facts = world_.verify(world_.verifier, mail, {});
  expect(facts.signatures.at(0), AuthResult::temperror, "body was not hashed");
}

TEST_F(DkimVerification, TakesMailWithoutABody) {
  const std::string field = signature_of({}, fields, "");
  expect(only(field + fields + "\r\n"), AuthResult::pass, "");
  expect(only(field + fields), AuthResult::pass, "");
}

// The whole way of a mail through the policy, as a session goes it.
TEST_F(DkimVerification, IsWhatThePolicyDoes) {
  PolicyWorld world;
  world.resolver.zone() = world_.resolver.zone();
  DkimSettings settings;
  settings.score = 2;
  const auto gatherer = world.prepare(dkim_entry, &settings);
  const auto verdict_on = [&](const std::string& whole) {
    support::WholeMail mail(whole);
    Facts facts;
    world.gather_message(*gatherer, mail.transaction(), mail.body(), facts);
    const DkimFacts found = facts.get<DkimFacts>();
    EXPECT_EQ(found.signatures.size(), found.fields_found);
    const auto said = judge(dkim_entry, Stage::message, mail.transaction(), facts, &settings);
    return said.empty() ? Verdict() : said.front();
  };
  EXPECT_EQ(verdict_on(message(signature_of({}))).score, 0);
  EXPECT_EQ(verdict_on(message(signature_of({}), fields, body + "more\r\n")).because,
            "no signature holds; example.org: body hash did not verify");
  EXPECT_EQ(verdict_on(message("")).score, 0);
  support::WholeMail unsigned_mail(message(""));
  EXPECT_TRUE(gatherer->begin()->body_forms(unsigned_mail.transaction()).empty()) << "nothing to hash";
}

TEST_F(DkimVerification, WorksOnWhenItIsPreparedAnew) {
  PolicyWorld world;
  world.resolver.zone() = world_.resolver.zone();
  const DkimSettings settings;
  const std::string signed_mail = message(signature_of({}));
  Facts facts;
  for (int reload = 0; reload < 2; ++reload) {
    const auto gatherer = world.prepare(dkim_entry, &settings);
    support::WholeMail mail(signed_mail);
    world.gather_message(*gatherer, mail.transaction(), mail.body(), facts);
    EXPECT_EQ(overall(facts.get<DkimFacts>()), AuthResult::pass);
  }
}

TEST_F(DkimVerification, UsesTheDigestsThatOthersAskedForToo) {
  PolicyWorld world;
  world.resolver.zone() = world_.resolver.zone();
  const DkimSettings settings;
  const auto gatherer = world.prepare(dkim_entry, &settings);
  support::WholeMail mail(message(signature_of({})));
  const auto gathering = gatherer->begin();
  const auto forms = gathering->body_forms(mail.transaction());
  ASSERT_EQ(forms.size(), 1u);
  signature::BodyHasher hasher({{Canonicalization::simple, 3}, {Canonicalization::simple, std::nullopt}, forms[0]});
  hasher.feed(mail.body());
  world.body_hashes = hasher.finish();
  Facts facts;
  world.gather(*gathering, Stage::message, mail.transaction(), facts);
  EXPECT_EQ(overall(facts.get<DkimFacts>()), AuthResult::pass);
}

}  // namespace
}  // namespace sallyport::policies
