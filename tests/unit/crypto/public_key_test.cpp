// Keys of strangers: both DER forms, the limits of threats.md D15, and signatures that hold or do not.
#include "gateway/crypto/public_key.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/base/base64.h"
#include "gateway/crypto/digest.h"
#include "gateway/crypto/private_key.h"
#include "tests/support/signing_keys.h"

namespace sallyport::crypto {
namespace {

using support::ed25519_key;
using support::rsa_key;

// DER, with lengths in the shortest form.
std::string element(char tag, const std::string& content) {
  std::string length;
  if (content.size() < 0x80) {
    length = static_cast<char>(content.size());
  } else if (content.size() < 0x100) {
    length = {'\x81', static_cast<char>(content.size())};
  } else {
    length = {'\x82', static_cast<char>(content.size() >> 8), static_cast<char>(content.size() & 0xff)};
  }
  return tag + length + content;
}

std::string integer(const std::string& octets) { return element('\x02', octets); }

// An odd number of so many bits.
std::string number_of(unsigned bits) {
  std::string octets((bits + 7) / 8, '\xff');
  if (bits % 8 != 0) octets.front() = static_cast<char>((1u << bits % 8) - 1);
  return bits % 8 == 0 ? '\0' + octets : octets;
}

std::string rsa_public_key(const std::string& modulus, const std::string& exponent) {
  return element('\x30', integer(modulus) + integer(exponent));
}

const std::string usual_exponent("\x01\x00\x01", 3);

KeyFault fault_of(const std::string& der) {
  auto key = PublicKey::read_rsa(der);
  EXPECT_FALSE(key.ok());
  return key.ok() ? KeyFault{} : key.error();
}

// The inner RSAPublicKey of a SubjectPublicKeyInfo for keys of 1024 bits and more.
std::string inner_key(const std::string& info) { return info.substr(info.find(std::string("\x00\x30\x82", 3)) + 1); }

TEST(PublicKey, VerifiesWhatThePrivateKeySigned) {
  const std::string digest = sha256("hello");
  for (const PrivateKey* key : {&rsa_key(), &ed25519_key()}) {
    auto read = key->type() == KeyType::rsa ? PublicKey::read_rsa(key->public_octets())
                                            : PublicKey::read_ed25519(key->public_octets());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->type(), key->type());
    EXPECT_EQ(read->bits(), key->bits());
    std::string signature = key->sign(digest);
    EXPECT_TRUE(read->verify(digest, signature));
    EXPECT_FALSE(read->verify(sha256("hullo"), signature));
    EXPECT_TRUE(read->verify(digest, signature)) << "a failure must not spoil the key";
    EXPECT_FALSE(read->verify(digest, signature.substr(1)));
    EXPECT_FALSE(read->verify(digest, signature + 'x'));
    EXPECT_FALSE(read->verify(digest, ""));
    signature[5] = static_cast<char>(signature[5] ^ 1);
    EXPECT_FALSE(read->verify(digest, signature));
  }
}

TEST(PublicKey, ReadsABareRsaPublicKey) {
  auto key = PublicKey::read_rsa(inner_key(rsa_key().public_octets()));
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->bits(), 2048u);
  EXPECT_TRUE(key->verify(sha256("x"), rsa_key().sign(sha256("x"))));
}

TEST(PublicKey, ReadsAnInfoWithoutParameters) {
  const std::string oid = element('\x06', "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
  const std::string key = '\0' + inner_key(rsa_key().public_octets());
  EXPECT_TRUE(PublicKey::read_rsa(element('\x30', element('\x30', oid) + element('\x03', key))).ok());
  const std::string other_parameters = oid + integer("\x05");
  EXPECT_EQ(fault_of(element('\x30', element('\x30', other_parameters) + element('\x03', key))), KeyFault::malformed);
  const std::string other_oid = element('\x06', "\x2a\x86\x48\xce\x3d\x02\x01");
  EXPECT_EQ(fault_of(element('\x30', element('\x30', other_oid) + element('\x03', key))), KeyFault::malformed);
  std::string unused_bits = key;
  unused_bits[0] = '\1';
  EXPECT_EQ(fault_of(element('\x30', element('\x30', oid) + element('\x03', unused_bits))), KeyFault::malformed);
}

TEST(PublicKey, RefusesSizesOutsideTheLimits) {
  EXPECT_EQ(fault_of(rsa_public_key(number_of(512), usual_exponent)), KeyFault::too_small);
  EXPECT_EQ(fault_of(rsa_public_key(number_of(1023), usual_exponent)), KeyFault::too_small);
  EXPECT_TRUE(PublicKey::read_rsa(rsa_public_key(number_of(1024), usual_exponent)).ok());
  EXPECT_TRUE(PublicKey::read_rsa(rsa_public_key(number_of(8192), usual_exponent)).ok());
  EXPECT_EQ(fault_of(rsa_public_key(number_of(8193), usual_exponent)), KeyFault::too_large);
  EXPECT_EQ(fault_of(rsa_public_key(number_of(65000), usual_exponent)), KeyFault::too_large);
}

TEST(PublicKey, RefusesExponentsThatAreNone) {
  const std::string modulus = number_of(2048);
  EXPECT_TRUE(PublicKey::read_rsa(rsa_public_key(modulus, "\x03")).ok());
  EXPECT_TRUE(PublicKey::read_rsa(rsa_public_key(modulus, number_of(64))).ok());
  EXPECT_EQ(fault_of(rsa_public_key(modulus, number_of(65))), KeyFault::bad_exponent);
  EXPECT_EQ(fault_of(rsa_public_key(modulus, number_of(2048))), KeyFault::bad_exponent);
  EXPECT_EQ(fault_of(rsa_public_key(modulus, "\x01")), KeyFault::bad_exponent);
  EXPECT_EQ(fault_of(rsa_public_key(modulus, "\x04")), KeyFault::bad_exponent);
  EXPECT_EQ(fault_of(rsa_public_key(modulus, std::string(1, '\0'))), KeyFault::malformed);
  EXPECT_EQ(fault_of(rsa_public_key(modulus, "\x83")), KeyFault::malformed) << "negative";
}

TEST(PublicKey, RefusesDerThatIsNotWhole) {
  for (const std::string& der : {rsa_key().public_octets(), inner_key(rsa_key().public_octets())}) {
    for (std::size_t length = 0; length < der.size(); ++length)
      EXPECT_EQ(fault_of(der.substr(0, length)), KeyFault::malformed) << length;
    EXPECT_EQ(fault_of(der + '\0'), KeyFault::malformed);
  }
}

TEST(PublicKey, RefusesNumbersInALongForm) {
  EXPECT_EQ(fault_of(rsa_public_key(std::string(1, '\0') + number_of(1024), usual_exponent)), KeyFault::malformed);
  EXPECT_EQ(fault_of(rsa_public_key('\0' + number_of(1023), usual_exponent)), KeyFault::malformed);
  std::string even = number_of(1024);
  even.back() = '\xfe';
  EXPECT_EQ(fault_of(rsa_public_key(even, usual_exponent)), KeyFault::malformed);
  // 0x81 for a length that one octet says.
  EXPECT_EQ(fault_of(std::string("\x30\x81\x05\x02\x01\x03\x02\x00", 8)), KeyFault::malformed);
}

TEST(PublicKey, RefusesEd25519OfAnotherLength) {
  EXPECT_FALSE(PublicKey::read_ed25519(std::string(31, 'x')).ok());
  EXPECT_FALSE(PublicKey::read_ed25519(std::string(33, 'x')).ok());
  // What is no point of the curve verifies nothing.
  auto no_point = PublicKey::read_ed25519(std::string(32, '\xff'));
  if (no_point) EXPECT_FALSE(no_point->verify(sha256("x"), ed25519_key().sign(sha256("x"))));
}

TEST(PrivateKey, RefusesWhatIsNone) {
  EXPECT_FALSE(PrivateKey::read_pem("").ok());
  EXPECT_FALSE(PrivateKey::read_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").ok());
  const auto small = PrivateKey::read_pem(support::rsa_key_pem(512));
  ASSERT_FALSE(small.ok());
  EXPECT_EQ(small.error().message, "has 512 bits; from 1024 to 8192 can be verified by others");
}

TEST(PrivateKey, GivesItsPublicHalfAsKeyRecordsHaveIt) {
  EXPECT_EQ(to_base64(ed25519_key().public_octets()), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");  // RFC 8463
  EXPECT_TRUE(to_base64(rsa_key().public_octets()).starts_with("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"));
}

}  // namespace
}  // namespace sallyport::crypto
