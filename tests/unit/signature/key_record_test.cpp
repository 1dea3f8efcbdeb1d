// Key records (RFC 6376, 3.6.1; threats.md D15) and their cache.
#include "gateway/signature/key_record.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/base/base64.h"
#include "gateway/signature/key_cache.h"
#include "tests/support/signing_keys.h"

namespace sallyport::signature {
namespace {

std::string rsa_p() { return "p=" + to_base64(support::rsa_key(1024).public_octets()); }
std::string problem(const std::string& text) { return std::string(parse_key_record(text).problem); }

TEST(KeyRecord, IsReadWhole) {
  const KeyRecord record =
      parse_key_record("v=DKIM1; h=sha1:sha256; k=rsa; n=note; s=tlsrpt:email; t=y : s; x=1; " + rsa_p());
  EXPECT_EQ(record.problem, "");
  ASSERT_TRUE(record.key);
  EXPECT_EQ(record.key->type(), crypto::KeyType::rsa);
  EXPECT_EQ(record.key->bits(), 1024u);
  EXPECT_TRUE(record.testing);
  EXPECT_TRUE(record.strict_identity);
}

TEST(KeyRecord, NeedsNothingButItsKey) {
  const KeyRecord record = parse_key_record(rsa_p());
  EXPECT_EQ(record.problem, "");
  EXPECT_FALSE(record.testing || record.strict_identity);
  const std::string ed25519 = to_base64(support::ed25519_key().public_octets());
  EXPECT_EQ(problem("k=ed25519; p=" + ed25519), "");
  std::string spaced = ed25519;
  EXPECT_EQ(problem("k=ed25519; p=" + spaced.insert(9, " \t ")), "");
}

// D15
TEST(KeyRecord, TakesWhatOthersTake) {
  EXPECT_EQ(problem(rsa_p() + "; v=DKIM1"), "") << "the version elsewhere than in front";
  EXPECT_EQ(problem("h=sha256:; " + rsa_p()), "");
  EXPECT_EQ(problem("h=sha1::sha256; " + rsa_p()), "");
  EXPECT_EQ(problem("s=email:; " + rsa_p()), "");
}

TEST(KeyRecord, NeedsNoPadding) {
  for (const unsigned bits : {1024u, 1032u, 2048u, 2056u}) {
    std::string padded = to_base64(support::rsa_key(bits).public_octets());
    std::string bare = padded.substr(0, padded.find('='));
    const KeyRecord record = parse_key_record("p=" + bare);
    EXPECT_EQ(record.problem, "") << bits;
    ASSERT_TRUE(record.key) << bits;
    EXPECT_EQ(record.key->bits(), bits);
    if (bare.size() + 2 == padded.size()) EXPECT_EQ(problem("p=" + bare + "="), "key is not base64") << "half of it";
  }
  const std::string ed25519 = to_base64(support::ed25519_key().public_octets());
  EXPECT_EQ(problem("k=ed25519; p=" + ed25519.substr(0, ed25519.size() - 1)), "");
}

TEST(KeyRecord, RefusesWhatIsNoKeyForMail) {
  EXPECT_EQ(problem("v=DKIM2; " + rsa_p()), "unknown version of key record");
  EXPECT_EQ(problem("v=dkim1; " + rsa_p()), "unknown version of key record");
  EXPECT_EQ(problem("h=sha1; " + rsa_p()), "key is not for sha256");
  EXPECT_EQ(problem("s=tlsrpt; " + rsa_p()), "key is not for email");
  EXPECT_EQ(problem("s=*; " + rsa_p()), "");
  EXPECT_EQ(problem("k=dsa; " + rsa_p()), "unknown key type");
  EXPECT_EQ(problem("v=DKIM1; k=rsa"), "no p= tag in key record");
  EXPECT_EQ(problem("v=DKIM1; p="), "key revoked");
  EXPECT_EQ(problem("v=DKIM1; p= ;"), "key revoked");
  EXPECT_EQ(problem("p=a-b"), "key is not base64");
  EXPECT_EQ(problem("p=AAAA"), "key is malformed");
  EXPECT_EQ(problem("k=ed25519; " + rsa_p()), "key is malformed");
  EXPECT_EQ(problem("v=spf1 -all"), "unknown version of key record") << "a wildcard's noise";
  EXPECT_EQ(problem("hello"), "syntax error in key record");
  EXPECT_EQ(problem(rsa_p() + "; " + rsa_p()), "syntax error in key record");
}

TEST(KeyRecord, RefusesKeysAndRecordsOutsideTheLimits) {
  EXPECT_EQ(
      problem("p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMCLIlXRGRpdMz/VbgCT7hJMKnkP63yDAfoBTRmbnvTEmuTlzhLuLlRLx8SEgWIyhtO7"
              "U0dXWZp7hQnNP7xnMG8CAwEAAQ=="),
      "RSA key under 1024 bits");
  EXPECT_EQ(problem("n=" + std::string(max_key_record_octets, 'x') + "; " + rsa_p()), "key record over 4096 octets");
}

TEST(KeyRecord, HasANameInTheDns) {
  Signature signature;
  signature.selector = "a.b";
  signature.domain = "example.org";
  EXPECT_EQ(key_record_name(signature), "a.b._domainkey.example.org");
  for (int i = 0; i < 4; ++i) signature.domain = std::string(57, 'd') + '.' + signature.domain;
  EXPECT_EQ(key_record_name(signature), std::nullopt);
}

TEST(KeyCache, GivesTheSameRecordAgain) {
  KeyCache cache(2);
  const auto first = cache.get(rsa_p());
  EXPECT_EQ(cache.get(rsa_p()), first);
  EXPECT_NE(cache.get("v=DKIM1; " + rsa_p()), first);
  EXPECT_EQ(cache.get("v=DKIM1; p=")->problem, "key revoked") << "what is no key is remembered too";
}

TEST(KeyCache, MakesRoomForNewOnes) {
  KeyCache cache(2);
  const std::string texts[] = {"n=1; " + rsa_p(), "n=2; " + rsa_p(), "n=3; " + rsa_p()};
  const auto first = cache.get(texts[0]);
  const auto second = cache.get(texts[1]);
  EXPECT_EQ(cache.get(texts[0]), first);
  cache.get(texts[2]);  // the second was used longest ago
  EXPECT_EQ(cache.get(texts[0]), first);
  EXPECT_NE(cache.get(texts[1]), second);
}

TEST(KeyCache, KeepsNothingOfWhatIsTooLong) {
  KeyCache cache(1);
  const auto known = cache.get(rsa_p());
  EXPECT_EQ(cache.get(std::string(max_key_record_octets + 1, 'x'))->problem, "key record over 4096 octets");
  EXPECT_EQ(cache.get(rsa_p()), known);
}

}  // namespace
}  // namespace sallyport::signature
