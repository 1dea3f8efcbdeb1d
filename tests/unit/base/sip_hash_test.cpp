// The reference vectors of SipHash-2-4-128: key 00 01 .. 0f, input 00 01 .. of growing length.
#include "gateway/base/sip_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport {
namespace {

constexpr HashKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string as_octets(const Fingerprint& value) {
  std::string octets;
  for (std::uint64_t word : {value.low, value.high}) {
    for (int shift = 0; shift < 64; shift += 8) octets += static_cast<char>(word >> shift & 0xff);
  }
  return octets;
}

std::string counting(std::size_t length) {
  std::string octets;
  for (std::size_t i = 0; i < length; ++i) octets += static_cast<char>(i);
  return octets;
}

TEST(SipHash, GivesTheReferenceVectors) {
  EXPECT_EQ(as_octets(fingerprint(key, "")), "\xa3\x81\x7f\x04\xba\x25\xa8\xe6\x6d\xf6\x72\x14\xc7\x55\x02\x93");
  EXPECT_EQ(as_octets(fingerprint(key, counting(1))),
            "\xda\x87\xc1\xd8\x6b\x99\xaf\x44\x34\x76\x59\x11\x9b\x22\xfc\x45");
}

TEST(SipHash, TellsLengthsKeysAndContentsApart) {
  EXPECT_NE(fingerprint(key, counting(8)), fingerprint(key, counting(9)));
  EXPECT_NE(fingerprint(key, std::string(7, '\0')), fingerprint(key, std::string(8, '\0')));
  EXPECT_NE(fingerprint(key, "a"), fingerprint(HashKey{1, 2}, "a"));
  EXPECT_NE(fingerprint(key, "one long key, a"), fingerprint(key, "one long key, b"));
}

}  // namespace
}  // namespace sallyport
