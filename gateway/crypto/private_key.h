// PrivateKey: our private keys, for signing (RFC 8301, RFC 8463).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/crypto/public_key.h"

namespace sallyport::crypto {

class PrivateKey {
 public:
  // Reads the content of a PEM file: an unencrypted RSA key of 1024 to 8192 bits, or Ed25519. The failure contains
  // nothing of the key.
  static Result<PrivateKey> read_pem(std::string_view pem);
  // The same from a file; it waits for the disk. The failure names the file.
  static Result<PrivateKey> read_file(const std::string& path);

  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();

  KeyType type() const { return type_; }
  unsigned bits() const { return bits_; }

  // Signs a SHA-256 digest; the result is what PublicKey::verify() takes.
  std::string sign(std::string_view sha256_digest) const;
  // The public key as in p= of a key record, before base64: a SubjectPublicKeyInfo, or the 32 octets of Ed25519.
  std::string public_octets() const;

 private:
  struct FreeKey {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  PrivateKey(KeyType type, unsigned bits, std::unique_ptr<evp_pkey_st, FreeKey> key);

  KeyType type_;
  unsigned bits_;
  std::unique_ptr<evp_pkey_st, FreeKey> key_;
};

}  // namespace sallyport::crypto
