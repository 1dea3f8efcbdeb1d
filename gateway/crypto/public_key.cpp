#include "gateway/crypto/public_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/crypto/der.h"

namespace sallyport::crypto {

namespace {

using Octets = std::vector<unsigned char>;

constexpr std::string_view rsa_encryption_oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";  // RFC 8017, A.1
constexpr std::size_t max_exponent_octets = 8;
constexpr std::size_t ed25519_octets = 32;
constexpr std::size_t ed25519_signature_octets = 64;

const unsigned char* unsigned_octets(std::string_view octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

// Both big-endian, without leading zeros.
struct RsaNumbers {
  std::string_view modulus;
  std::string_view exponent;
};

std::optional<RsaNumbers> read_rsa_public_key(std::string_view sequence) {
  DerReader reader(sequence);
  const auto modulus = reader.take_positive_integer();
  const auto exponent = reader.take_positive_integer();
  if (!modulus || !exponent || !reader.at_end()) return std::nullopt;
  return RsaNumbers{*modulus, *exponent};
}

std::optional<RsaNumbers> read_subject_public_key_info(std::string_view sequence) {
  DerReader reader(sequence);
  const auto algorithm = reader.take(DerTag::sequence);
  const auto key = reader.take(DerTag::bit_string);
  if (!algorithm || !key || !reader.at_end()) return std::nullopt;

  DerReader of_algorithm(*algorithm);
  if (of_algorithm.take(DerTag::object_identifier) != rsa_encryption_oid) return std::nullopt;
  // The parameters are NULL or absent.
  if (!of_algorithm.at_end() && of_algorithm.take(DerTag::null) != std::string_view()) return std::nullopt;
  if (!of_algorithm.at_end()) return std::nullopt;

  if (key->empty() || key->front() != '\0') return std::nullopt;  // no unused bits
  DerReader of_key(key->substr(1));
  const auto inner = of_key.take(DerTag::sequence);
  if (!inner || !of_key.at_end()) return std::nullopt;
  return read_rsa_public_key(*inner);
}

std::optional<RsaNumbers> read_rsa_numbers(std::string_view der) {
  DerReader reader(der);
  const auto outer = reader.take(DerTag::sequence);
  if (!outer || !reader.at_end()) return std::nullopt;
  return DerReader(*outer).next_is(DerTag::integer) ? read_rsa_public_key(*outer)
                                                    : read_subject_public_key_info(*outer);
}

unsigned bits_of(std::string_view number) {
  const auto first = static_cast<unsigned char>(number.front());
  return static_cast<unsigned>(8 * (number.size() - 1)) + static_cast<unsigned>(std::bit_width(first));
}

bool is_odd(std::string_view number) { return (number.back() & 1) != 0; }

std::optional<KeyFault> fault_of(const RsaNumbers& numbers) {
  if (numbers.modulus.size() > max_rsa_bits / 8) return KeyFault::too_large;
  if (bits_of(numbers.modulus) < min_rsa_bits) return KeyFault::too_small;
  if (!is_odd(numbers.modulus)) return KeyFault::malformed;
  if (numbers.exponent.size() > max_exponent_octets || !is_odd(numbers.exponent)) return KeyFault::bad_exponent;
  if (numbers.exponent == "\x01") return KeyFault::bad_exponent;
  return std::nullopt;
}

// OpenSSL takes numbers in native byte order.
Octets native(std::string_view big_endian) {
  Octets octets(big_endian.begin(), big_endian.end());
  if constexpr (std::endian::native == std::endian::little) std::reverse(octets.begin(), octets.end());
  return octets;
}

// Makes a key from the numbers, ten times as fast as OpenSSL's parsing of the DER. Null if OpenSSL refuses them.
EVP_PKEY* make_rsa(const RsaNumbers& numbers) {
  Octets modulus = native(numbers.modulus);
  Octets exponent = native(numbers.exponent);
  OSSL_PARAM params[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus.data(), modulus.size()),
                         OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent.data(), exponent.size()),
                         OSSL_PARAM_construct_end()};
  EVP_PKEY_CTX* maker = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  const bool made =
      maker && EVP_PKEY_fromdata_init(maker) == 1 && EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
  EVP_PKEY_CTX_free(maker);
  return made ? key : nullptr;
}

EVP_PKEY_CTX* start_verification(EVP_PKEY* key) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_PKEY_CTX* operation = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
  const bool started = operation && sha256 && EVP_PKEY_verify_init(operation) == 1 &&
                       EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PADDING) == 1 &&
                       EVP_PKEY_CTX_set_signature_md(operation, sha256) == 1;
  ensure(started, "PublicKey: cannot start");
  return operation;
}

bool verify_ed25519(EVP_PKEY* key, std::string_view digest, std::string_view signature) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool verified =
      context && EVP_DigestVerifyInit_ex(context, nullptr, nullptr, nullptr, nullptr, key, nullptr) == 1 &&
      EVP_DigestVerify(context, unsigned_octets(signature), signature.size(), unsigned_octets(digest), digest.size()) ==
          1;
  EVP_MD_CTX_free(context);
  return verified;
}

}  // namespace

void PublicKey::FreeKey::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }
void PublicKey::FreeOperation::operator()(evp_pkey_ctx_st* operation) const noexcept { EVP_PKEY_CTX_free(operation); }

PublicKey::PublicKey(KeyType type, unsigned bits, evp_pkey_st* key) : type_(type), bits_(bits), key_(key) {
  if (type == KeyType::rsa) verification_.reset(start_verification(key));
}

PublicKey::PublicKey(PublicKey&&) noexcept = default;
PublicKey& PublicKey::operator=(PublicKey&&) noexcept = default;
PublicKey::~PublicKey() = default;

Result<PublicKey, KeyFault> PublicKey::read_rsa(std::string_view der) {
  const auto numbers = read_rsa_numbers(der);
  if (!numbers) return KeyFault::malformed;
  if (const auto fault = fault_of(*numbers)) return *fault;
  EVP_PKEY* key = make_rsa(*numbers);
  if (key == nullptr) {
    ERR_clear_error();
    return KeyFault::malformed;
  }
  return PublicKey(KeyType::rsa, bits_of(numbers->modulus), key);
}

Result<PublicKey, KeyFault> PublicKey::read_ed25519(std::string_view octets) {
  if (octets.size() != ed25519_octets) return KeyFault::malformed;
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, unsigned_octets(octets), octets.size());
  ensure(key != nullptr, "PublicKey: no Ed25519");
  return PublicKey(KeyType::ed25519, 256, key);
}

bool PublicKey::verify(std::string_view sha256_digest, std::string_view signature) const {
  ensure(sha256_digest.size() == 32, "PublicKey: not a SHA-256 digest");
  bool verified = false;
  if (type_ == KeyType::ed25519) {
    verified = signature.size() == ed25519_signature_octets && verify_ed25519(key_.get(), sha256_digest, signature);
  } else {
    verified = EVP_PKEY_verify(verification_.get(), unsigned_octets(signature), signature.size(),
                               unsigned_octets(sha256_digest), sha256_digest.size()) == 1;
  }
  // Clears OpenSSL's error queue of this thread: code that handles a TLS connection would otherwise find this error.
  if (!verified) ERR_clear_error();
  return verified;
}

}  // namespace sallyport::crypto
