#include "gateway/signature/body_hash.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/base/base64.h"
#include "gateway/crypto/digest.h"
#include "tests/unit/signature/canonical_forms.h"

namespace sallyport::signature {
namespace {

constexpr auto simple = Canonicalization::simple;
constexpr auto relaxed = Canonicalization::relaxed;

const BodyHash& of(const std::vector<BodyHash>& hashes, const BodyForm& form) {
  for (const BodyHash& hash : hashes) {
    if (hash.form == form) return hash;
  }
  static const BodyHash none;
  ADD_FAILURE() << "no such form";
  return none;
}

TEST(BodyHash, OfAnEmptyBodyIsTheKnownOne) {
  EXPECT_EQ(to_base64(hash_body("", {simple, {}}).digest), "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  EXPECT_EQ(to_base64(hash_body("", {relaxed, {}}).digest), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST(BodyHash, OfALengthIsThatOfTheCanonicalBeginning) {
  const std::string body = "a  b\r\nc \r\n\r\nd\r\n\r\n\r\n";
  const std::string canonical = canonical_body({body}, relaxed);
  for (std::uint64_t length = 0; length <= canonical.size(); ++length) {
    const BodyHash hash = hash_body(body, {relaxed, length});
    EXPECT_EQ(hash.digest, crypto::sha256(canonical.substr(0, length))) << length;
    EXPECT_EQ(hash.canonical_octets, canonical.size());
  }
  EXPECT_EQ(hash_body(body, {relaxed, canonical.size() + 1}).digest, "");
  EXPECT_EQ(hash_body(body, {relaxed, UINT64_MAX}).digest, "");
}

TEST(BodyHash, OfAnEmptyBodyHasALengthOfNothing) {
  EXPECT_EQ(hash_body("", {relaxed, 0}).digest, crypto::sha256(""));
  EXPECT_EQ(hash_body("", {relaxed, 1}).digest, "");
  EXPECT_EQ(hash_body("", {simple, 2}).digest, crypto::sha256("\r\n"));
}

TEST(BodyHash, GivesManyFormsAtOnceInPiecesOfAnySize) {
  const std::string body = "one  two\t\r\n\r\nthree \r\nfour\r\n\r\n";
  const std::vector<BodyForm> forms{{relaxed, 5}, {simple, {}}, {relaxed, {}},  {relaxed, 0},
                                    {relaxed, 5}, {simple, 7},  {simple, 1000}, {relaxed, 10}};
  for (std::size_t piece = 1; piece < body.size(); ++piece) {
    BodyHasher hasher(forms);
    for (const std::string& part : pieces_of(body, piece)) hasher.feed(part);
    const std::vector<BodyHash> hashes = hasher.finish();
    EXPECT_EQ(hashes.size(), 7u) << "one for each distinct form";
    for (const BodyForm& form : forms) {
      const BodyHash alone = hash_body(body, form);
      EXPECT_EQ(of(hashes, form).digest, alone.digest);
      EXPECT_EQ(of(hashes, form).canonical_octets, alone.canonical_octets);
    }
  }
}

}  // namespace
}  // namespace sallyport::signature
