// PublicKey: public keys from the DNS, and verification with them (RFC 8301, RFC 8463).
//
// The octets are untrusted: they are parsed with bounds, and a key outside the limits is refused before anything is
// computed with it (threats.md D15).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "gateway/base/result.h"

struct evp_pkey_st;
struct evp_pkey_ctx_st;

namespace sallyport::crypto {

enum class KeyType : std::uint8_t { rsa, ed25519 };

enum class KeyFault : std::uint8_t {
  malformed,
  too_small,     // RSA under 1024 bits: its signatures prove nothing
  too_large,     // RSA over 8192 bits: costs too much
  bad_exponent,  // even, 1, or over 64 bits
};

inline constexpr unsigned min_rsa_bits = 1024;
inline constexpr unsigned max_rsa_bits = 8192;

class PublicKey {
 public:
  // DER: a SubjectPublicKeyInfo or an RSAPublicKey; both are in use (RFC 6376, 3.6.1, and its erratum 3017).
  static Result<PublicKey, KeyFault> read_rsa(std::string_view der);
  // The 32 octets of the point (RFC 8463, 4).
  static Result<PublicKey, KeyFault> read_ed25519(std::string_view octets);

  PublicKey(PublicKey&&) noexcept;
  PublicKey& operator=(PublicKey&&) noexcept;
  ~PublicKey();

  KeyType type() const { return type_; }
  unsigned bits() const { return bits_; }  // length of the RSA modulus; 256 for Ed25519

  // True if `signature` is valid for this key and digest: RSASSA-PKCS1-v1_5 or PureEdDSA over the digest (RFC 8463, 3).
  // `signature` may be any octets. Only one thread at a time may use a key.
  bool verify(std::string_view sha256_digest, std::string_view signature) const;

 private:
  struct FreeKey {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  struct FreeOperation {
    void operator()(evp_pkey_ctx_st* operation) const noexcept;
  };
  PublicKey(KeyType type, unsigned bits, evp_pkey_st* key);

  KeyType type_;
  unsigned bits_;
  std::unique_ptr<evp_pkey_st, FreeKey> key_;
  // RSA only: made once, since that costs a tenth of a verification.
  std::unique_ptr<evp_pkey_ctx_st, FreeOperation> verification_;
};

}  // namespace sallyport::crypto
