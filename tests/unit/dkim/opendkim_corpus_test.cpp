// The verification cases of libopendkim (corpora/dkim-opendkim).
//
// Most of its signatures are rsa-sha1, which proves nothing (RFC 8301) and is refused before anything is computed. What
// is around the algorithm counts all the same: here, and only here, such a signature is followed to its end with the
// engine's parts and OpenSSL's own RSA, and must be what the suite says; from the policy it must get its refusal.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/base64.h"
#include "gateway/crypto/digest.h"
#include "policies/api/key_questions.h"
#include "tests/support/corpora.h"
#include "tests/unit/dkim/verified_mail.h"

namespace sallyport::policies {
namespace {

using signature::Finding;
using signature::Outcome;
using signature::Signature;

// Suite: pass. l= leaves the end of the body unsigned there; here that is never a pass (threats.md D17).
constexpr std::array<std::string_view, 6> unsigned_tail{"t012", "t013", "t015", "t028", "t029", "t030"};
// Suite: none. A field that is no DKIM-Signature at all is counted as a broken one here, and told as such.
constexpr std::string_view malformed = "t076";

std::string expected(const std::string& id, const std::string& suite) {
  const std::string number = id.substr(id.find('-') + 1);
  if (std::find(unsigned_tail.begin(), unsigned_tail.end(), number) != unsigned_tail.end()) return "policy";
  return number == malformed ? "permerror" : suite;
}

bool verify_rsa_sha1(const std::string& key_record, std::string_view input, std::string_view value) {
  const auto der = from_base64(key_record.substr(key_record.find("p=") + 2));
  const auto* octets = reinterpret_cast<const unsigned char*>(der->data());
  EVP_PKEY* key = d2i_PUBKEY(nullptr, &octets, static_cast<long>(der->size()));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool holds = EVP_DigestVerifyInit(context, nullptr, EVP_sha1(), nullptr, key) == 1 &&
                     EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(value.data()), value.size(),
                                      reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return holds;
}

// The body's digest in the signature's form, as signature::hash_body() has it for SHA-256.
signature::BodyHash sha1_of_body(std::string_view body, const signature::BodyForm& form) {
  class Collector final : public signature::OctetSink {
   public:
    void take(std::string_view octets) override { all += octets; }
    std::string all;
  };
  Collector canonical;
  signature::BodyCanonicalizer canonicalizer(form.canonicalization, canonical);
  canonicalizer.feed(body);
  canonicalizer.end();
  const std::uint64_t length = form.length.value_or(canonical.all.size());
  if (length > canonical.all.size()) return {form, {}, canonical.all.size()};
  const std::string_view covered = std::string_view(canonical.all).substr(0, static_cast<std::size_t>(length));
  return {form, crypto::digest(crypto::DigestAlgorithm::sha1, covered), canonical.all.size()};
}

// What becomes of an rsa-sha1 signature if SHA-1 counted.
Finding follow_sha1(support::WholeMail& mail, const mail::HeaderField& field, const support::DnsZone& zone) {
  Signature signature = signature::parse_dkim_signature(field.value);
  signature.algorithm = signature::Algorithm::rsa_sha256;  // from here on only its kind of key matters
  if (const auto finding = signature::judge_before_key(signature, mail.transaction().now)) return *finding;
  const signature::BodyHash body[] = {sha1_of_body(mail.body(), signature.body)};
  if (const auto finding = signature::judge_body(signature, body)) return *finding;
  const dns::Answer answer = zone.answer({*signature::key_record_name(signature), dns::Type::TXT});
  signature::KeyCache cache(10);
  const FoundKeys keys = find_keys(signature, answer, cache);
  if (keys.keys.empty()) return keys.finding;
  const signature::FieldIndex fields(mail.header());
  std::string input;
  signature::verify_header(signature, field, fields, keys.keys, input);
  if (!verify_rsa_sha1(std::get<std::string>(answer.records.front()), input, signature.value))
    return {Outcome::fail, "signature did not verify"};
  return signature::judge_coverage(signature, fields, body);
}

bool is_sha1(const mail::HeaderField& field) {
  return signature::parse_dkim_signature(field.value).algorithm == signature::Algorithm::rsa_sha1;
}

std::vector<std::size_t> write_sizes(const nlohmann::json& given) {
  if (!given.contains("body_write_sizes")) return {0};
  return given.at("body_write_sizes").get<std::vector<std::size_t>>();
}

void run_case(const nlohmann::json& given, const std::string& message, const support::DnsZone& zone) {
  const std::string want = expected(given.at("id"), given.at("expect"));
  DkimWorld world(zone);
  support::WholeMail mail(message);
  for (const auto& sizes : {std::vector<std::size_t>{0}, {1}, write_sizes(given)}) {
    const DkimFacts facts = world.verify(message, sizes);
    const auto fields = mail.header().find_all("DKIM-Signature");
    ASSERT_EQ(facts.signatures.size(), fields.size());
    AuthResult best = best_result(facts);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!is_sha1(*fields[i])) continue;
      EXPECT_EQ(facts.signatures[i].result, AuthResult::permerror) << "rsa-sha1";
      const Finding finding = follow_sha1(mail, *fields[i], zone);
      if (best != AuthResult::pass) best = auth_result(finding.outcome);
    }
    EXPECT_EQ(word(best), want) << facts.signatures.front().reason;
  }
}

// Messages with many broken signatures: each is told for what it is. Those that are sound but for being rsa-sha1 are in
// the suite's list as BADSIG, or not at all.
void run_many(const nlohmann::json& given, const std::string& message, const support::DnsZone& zone) {
  support::WholeMail mail(message);
  std::vector<std::string> problems;
  for (const mail::HeaderField* field : mail.header().find_all("DKIM-Signature"))
    problems.emplace_back(signature::parse_dkim_signature(field->value).problem);
  const bool is_t114 = given.at("id") == "opendkim-t114";
  const std::vector<std::string> of_t114{"no h= tag",
                                         "l= is no length",
                                         "l= is no length",
                                         "no known query method",
                                         "no known query method",
                                         "no d= tag",
                                         "no s= tag",
                                         "d= is no domain name",
                                         "s= is no selector",
                                         "no bh= tag",
                                         "bh= is no body hash of the algorithm",
                                         "no a= tag",
                                         "no b= tag",
                                         "b= is no signature",
                                         "b= is no signature",
                                         "unknown algorithm",
                                         "syntax error",
                                         "syntax error",
                                         "x= is no time",
                                         "syntax error",
                                         "no a= tag",
                                         "",
                                         "no v= tag"};
  const std::vector<std::string> of_t130{"no s= tag", "", "no v= tag"};
  EXPECT_EQ(problems, is_t114 ? of_t114 : of_t130);

  DkimWorld world(zone);
  const DkimFacts facts = world.verify(message);
  EXPECT_EQ(facts.fields_found, problems.size());
  EXPECT_EQ(facts.signatures.size(), std::min<std::size_t>(10, problems.size()));
  for (const DkimFacts::Signature& signature : facts.signatures) EXPECT_EQ(signature.result, AuthResult::permerror);
}

TEST(OpendkimCorpus, AgreesWithUs) {
  const std::string folder = "dkim-opendkim/";
  const auto suite = support::load_corpus(folder + "cases.json");
  SALLYPORT_SKIP_WITHOUT(suite);
  support::CorpusScore score("dkim-opendkim");
  const support::DnsZone zone = support::DnsZone::from_json(suite->at("dns"));
  for (const auto& given : suite->at("cases")) {
    SCOPED_TRACE(given.at("id").get<std::string>());
    const auto message = support::load_corpus_octets(folder + given.at("message").get<std::string>());
    ASSERT_TRUE(message);
    given.at("expect") == "per_signature" ? run_many(given, *message, zone) : run_case(given, *message, zone);
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::policies
