#include "tests/support/signing_keys.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <map>
#include <memory>
#include <utility>

#include "gateway/base/base64.h"
#include "gateway/base/ensure.h"

namespace sallyport::support {

namespace {

std::string make_rsa_pem(unsigned bits) {
  EVP_PKEY* key = EVP_RSA_gen(bits);
  BIO* memory = BIO_new(BIO_s_mem());
  ensure(key && memory && PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "no key");
  char* text = nullptr;
  const long length = BIO_get_mem_data(memory, &text);
  std::string pem(text, static_cast<std::size_t>(length));
  BIO_free(memory);
  EVP_PKEY_free(key);
  return pem;
}

}  // namespace

std::string rsa_key_pem(unsigned bits) {
  static std::map<unsigned, std::string> pems;
  std::string& pem = pems[bits];
  if (pem.empty()) pem = make_rsa_pem(bits);
  return pem;
}

const crypto::PrivateKey& rsa_key(unsigned bits) {
  static std::map<unsigned, crypto::PrivateKey> keys;
  auto found = keys.find(bits);
  if (found == keys.end())
    found = keys.emplace(bits, std::move(*crypto::PrivateKey::read_pem(rsa_key_pem(bits)))).first;
  return found->second;
}

std::string ed25519_key_pem() {
  // RFC 8410, 7: in the PKCS#8 form of such a key only the seed varies.
  const std::string head("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
  const std::string seed = *from_base64("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
  return "-----BEGIN PRIVATE KEY-----\n" + to_base64(head + seed) + "\n-----END PRIVATE KEY-----\n";
}

const crypto::PrivateKey& ed25519_key() {
  static const crypto::PrivateKey key = std::move(*crypto::PrivateKey::read_pem(ed25519_key_pem()));
  return key;
}

std::string key_record(const crypto::PrivateKey& key) {
  const std::string type = key.type() == crypto::KeyType::rsa ? "rsa" : "ed25519";
  return "v=DKIM1; k=" + type + "; p=" + to_base64(key.public_octets());
}

}  // namespace sallyport::support
