#include "gateway/crypto/digest.h"

#include <gtest/gtest.h>

#include "gateway/base/text.h"

namespace sallyport::crypto {
namespace {

constexpr const char* sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* sha256_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Digest, GivesThePublishedValues) {
  EXPECT_EQ(text::to_hex(sha256("abc")), sha256_of_abc);
  EXPECT_EQ(text::to_hex(sha256("")), sha256_of_nothing);
  EXPECT_EQ(text::to_hex(digest(DigestAlgorithm::sha1, "abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Digest, IsTheSameOctetByOctet) {
  std::string octets(10'000, 'x');
  Digest streaming(DigestAlgorithm::sha256);
  for (char octet : octets) streaming.update({&octet, 1});
  EXPECT_EQ(streaming.finish(), sha256(octets));
}

TEST(Digest, StartsAnewWhenFinished) {
  Digest streaming(DigestAlgorithm::sha256);
  streaming.update("something else");
  streaming.finish();
  streaming.update("abc");
  EXPECT_EQ(text::to_hex(streaming.finish()), sha256_of_abc);
  EXPECT_EQ(text::to_hex(streaming.finish()), sha256_of_nothing);
}

TEST(Digest, TellsWhatItHasSoFarAndGoesOn) {
  Digest digest(DigestAlgorithm::sha256);
  digest.update("a");
  EXPECT_EQ(digest.so_far(), sha256("a"));
  EXPECT_EQ(digest.so_far(), sha256("a"));
  digest.update("b");
  EXPECT_EQ(digest.so_far(), sha256("ab"));
  EXPECT_EQ(digest.finish(), sha256("ab"));
}

TEST(Digest, MovesWithWhatItHasSeen) {
  Digest first(DigestAlgorithm::sha256);
  first.update("a");
  Digest second = std::move(first);
  second.update("bc");
  EXPECT_EQ(text::to_hex(second.finish()), sha256_of_abc);
}

}  // namespace
}  // namespace sallyport::crypto
