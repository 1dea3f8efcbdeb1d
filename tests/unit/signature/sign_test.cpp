// Signing and verifying: the vectors of RFC 8463, and our own signatures read back.
#include "gateway/signature/sign.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/base/base64.h"
#include "gateway/crypto/digest.h"
#include "gateway/signature/verify.h"
#include "tests/support/signing_keys.h"

namespace sallyport::signature {
namespace {

const std::string rfc8463_fields =
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";
const std::string rfc8463_body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n\r\n";
const std::string rfc8463_ed25519 =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n";
const std::string rfc8463_rsa =
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
    " date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n";
const std::string rfc8463_rsa_record =
    "v=DKIM1; k=rsa; "
    "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx"
    "/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/"
    "K4w3QIDAQAB";

// The finding on the signature in the first field.
HeaderCheck verify_first(const std::string& header, const std::string& body, const std::string& record) {
  const mail::HeaderSection section(header);
  const mail::HeaderField& field = section.fields().front();
  const Signature signature = parse_dkim_signature(field.value);
  EXPECT_EQ(signature.problem, "");
  const FieldIndex index(section);
  const BodyHash hashes[] = {hash_body(body, signature.body)};
  if (const auto finding = judge_body(signature, hashes)) return {*finding, {}, {}};
  const std::shared_ptr<const KeyRecord> records[] = {std::make_shared<const KeyRecord>(parse_key_record(record))};
  const UsableKeys usable = select_keys(signature, records);
  if (usable.keys.empty()) return {{Outcome::permerror, usable.problem}, {}, {}};
  std::string input;
  HeaderCheck check = verify_header(signature, field, index, usable.keys, input);
  if (check.finding.outcome == Outcome::pass) check.finding = judge_coverage(signature, index, hashes);
  return check;
}

TEST(Verify, PassesTheVectorsOfRfc8463) {
  const std::string record = support::key_record(support::ed25519_key());
  EXPECT_EQ(record, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  const HeaderCheck ed25519 = verify_first(rfc8463_ed25519 + rfc8463_rsa + rfc8463_fields, rfc8463_body, record);
  EXPECT_EQ(ed25519.finding.outcome, Outcome::pass) << ed25519.finding.reason;
  EXPECT_EQ(to_base64(ed25519.header_hash), "SM6aLHEOzhcQ/xVplrg2p/RUcOQ+/lZDB01uFpDtYuc=");
  const HeaderCheck rsa = verify_first(rfc8463_rsa + rfc8463_fields, rfc8463_body, rfc8463_rsa_record);
  EXPECT_EQ(rsa.finding.outcome, Outcome::pass) << rsa.finding.reason;
  EXPECT_EQ(to_base64(rsa.header_hash), "/tcebXD7Eju1w1OtxCghswS2udVPyGfzBPfGHaqqERE=");
}

TEST(Verify, FailsChangedVectors) {
  const auto outcome = [](const std::string& header, const std::string& body) {
    return verify_first(header, body, rfc8463_rsa_record).finding;
  };
  const std::string header = rfc8463_rsa + rfc8463_fields;
  EXPECT_EQ(outcome(header + "From: Eve <eve@example.com>\r\n", rfc8463_body).outcome, Outcome::fail) << "oversigned";
  EXPECT_EQ(outcome(header + "Received: x\r\n", rfc8463_body).outcome, Outcome::pass) << "not signed";
  EXPECT_EQ(outcome(header, rfc8463_body + "\r\n").outcome, Outcome::pass) << "empty lines at the end";
  EXPECT_EQ(outcome(header, rfc8463_body + "more\r\n").reason, "body hash did not verify");
  std::string other_subject = header;
  other_subject.replace(other_subject.find("dinner"), 6, "supper");
  EXPECT_EQ(outcome(other_subject, rfc8463_body).reason, "signature did not verify");
  std::string other_time = header;
  other_time.replace(other_time.find("t=15"), 4, "t=16");
  EXPECT_EQ(outcome(other_time, rfc8463_body).reason, "signature did not verify");
}

TEST(Sign, ReproducesTheEd25519SignatureOfRfc8463) {
  // Ed25519 leaves nothing to chance: the same octets have the same signature.
  const std::string header = rfc8463_ed25519 + rfc8463_fields;
  const mail::HeaderSection section(header);
  const mail::HeaderField& field = section.fields().front();
  const Signature signature = parse_dkim_signature(field.value);
  std::string input;
  for (const auto* selected : FieldIndex(section).select(signature.signed_names, &field))
    append_canonical(input, *selected, signature.header);
  append_own_field(input, field, signature.raw_value, signature.header);
  EXPECT_EQ(to_base64(support::ed25519_key().sign(crypto::sha256(input))),
            "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
}

TEST(Sign, IsVerifiedAgain) {
  const mail::HeaderSection section(rfc8463_fields);
  for (const crypto::PrivateKey* key : {&support::rsa_key(), &support::ed25519_key()}) {
    for (Canonicalization header : {Canonicalization::simple, Canonicalization::relaxed}) {
      for (Canonicalization body : {Canonicalization::simple, Canonicalization::relaxed}) {
        const Signer signer{"football.example.com", "sel", *key};
        const BodyHash hash = hash_body(rfc8463_body, {body, std::nullopt});
        const std::string field = sign_dkim(section, hash, {header, names_to_sign(section), 1528637909}, signer);
        const HeaderCheck check = verify_first(field + rfc8463_fields, rfc8463_body, support::key_record(*key));
        EXPECT_EQ(check.finding.outcome, Outcome::pass) << check.finding.reason << '\n' << field;
        EXPECT_EQ(verify_first(field + "Reply-To: eve@example.com\r\n" + rfc8463_fields, rfc8463_body,
                               support::key_record(*key))
                      .finding.outcome,
                  Outcome::fail)
            << "a field that others might add is signed as absent";
      }
    }
  }
}

TEST(Sign, FoldsItsField) {
  const mail::HeaderSection section(rfc8463_fields);
  const Signer signer{"football.example.com", "sel", support::rsa_key()};
  const BodyHash hash = hash_body(rfc8463_body, {Canonicalization::relaxed, 10});
  const std::string field = sign_dkim(section, hash, {Canonicalization::relaxed, names_to_sign(section), 1}, signer);
  ASSERT_TRUE(field.ends_with("\r\n"));
  EXPECT_TRUE(field.starts_with(
      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com;\r\n s=sel; t=1; l=10;"));
  std::size_t begin = 0;
  for (std::size_t end = field.find("\r\n"); end != std::string::npos; end = field.find("\r\n", begin)) {
    EXPECT_LE(end - begin, 78u);
    EXPECT_TRUE(begin == 0 || field[begin] == ' ');
    begin = end + 2;
  }
}

TEST(Sign, NamesEveryFieldAndThoseThatMayNotBeAdded) {
  const mail::HeaderSection section("Received: x\r\nFrom: a\r\nList-Id: l\r\nList-Id: m\r\n");
  const std::vector<std::string> names = names_to_sign(section);
  EXPECT_EQ(std::count(names.begin(), names.end(), "From"), 2);
  EXPECT_EQ(std::count(names.begin(), names.end(), "Subject"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "List-Id"), 2);
  EXPECT_EQ(std::count(names.begin(), names.end(), "References"), 0);
  EXPECT_EQ(std::count(names.begin(), names.end(), "Received"), 0);
}

}  // namespace
}  // namespace sallyport::signature
