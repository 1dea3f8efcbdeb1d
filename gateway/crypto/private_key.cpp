#include "gateway/crypto/private_key.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "gateway/base/descriptor.h"
#include "gateway/base/ensure.h"

namespace sallyport::crypto {

namespace {

// Otherwise OpenSSL would ask for a password at the terminal.
int no_password(char*, int, int, void*) { return 0; }

const unsigned char* unsigned_octets(std::string_view octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

unsigned char* unsigned_octets(std::string& octets) { return reinterpret_cast<unsigned char*>(octets.data()); }

std::string sign_rsa(EVP_PKEY* key, std::string_view digest) {
  EVP_PKEY_CTX* operation = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
  std::size_t length = signature.size();
  const bool signed_ok =
      operation && EVP_PKEY_sign_init(operation) == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PADDING) == 1 &&
      EVP_PKEY_CTX_set_signature_md(operation, EVP_sha256()) == 1 &&
      EVP_PKEY_sign(operation, unsigned_octets(signature), &length, unsigned_octets(digest), digest.size()) == 1;
  EVP_PKEY_CTX_free(operation);
  ensure(signed_ok, "PrivateKey: cannot sign");
  signature.resize(length);
  return signature;
}

std::string sign_ed25519(EVP_PKEY* key, std::string_view digest) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::string signature(64, '\0');
  std::size_t length = signature.size();
  const bool signed_ok =
      context && EVP_DigestSignInit_ex(context, nullptr, nullptr, nullptr, nullptr, key, nullptr) == 1 &&
      EVP_DigestSign(context, unsigned_octets(signature), &length, unsigned_octets(digest), digest.size()) == 1;
  EVP_MD_CTX_free(context);
  ensure(signed_ok, "PrivateKey: cannot sign");
  return signature;
}

// More than any key has in a file.
constexpr std::size_t most_octets = std::size_t{64} << 10;

// Wiped when it is destroyed, and in one place: what grows leaves copies behind.
struct Text {
  Text() : octets(most_octets, '\0') {}
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  ~Text() { OPENSSL_cleanse(octets.data(), octets.size()); }
  std::string octets;
  std::size_t size = 0;
  bool was_read = false;
};

void read_text(const std::string& path, Text& text) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  while (file && text.size < text.octets.size()) {
    const ssize_t count = ::read(file.get(), text.octets.data() + text.size, text.octets.size() - text.size);
    if (count < 0 && errno == EINTR) continue;
    text.was_read = count >= 0;
    if (count <= 0) break;
    text.size += static_cast<std::size_t>(count);
  }
}

}  // namespace

void PrivateKey::FreeKey::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

PrivateKey::PrivateKey(KeyType type, unsigned bits, std::unique_ptr<evp_pkey_st, FreeKey> key)
    : type_(type), bits_(bits), key_(std::move(key)) {}

PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

Result<PrivateKey> PrivateKey::read_pem(std::string_view pem) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  ensure(memory != nullptr, "PrivateKey: no memory");
  std::unique_ptr<evp_pkey_st, FreeKey> key(PEM_read_bio_PrivateKey(memory, nullptr, no_password, nullptr));
  BIO_free(memory);
  ERR_clear_error();
  if (!key) return Failure{"is not a PEM private key without a password"};
  const auto bits = static_cast<unsigned>(EVP_PKEY_get_bits(key.get()));
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) return PrivateKey(KeyType::ed25519, 256, std::move(key));
  if (EVP_PKEY_is_a(key.get(), "RSA") != 1) return Failure{"is neither an RSA nor an Ed25519 key"};
  if (bits < min_rsa_bits || bits > max_rsa_bits)
    return Failure{"has " + std::to_string(bits) + " bits; from 1024 to 8192 can be verified by others"};
  return PrivateKey(KeyType::rsa, bits, std::move(key));
}

Result<PrivateKey> PrivateKey::read_file(const std::string& path) {
  Text pem;
  read_text(path, pem);
  if (!pem.was_read) return Failure{path + " cannot be read"};
  auto key = read_pem({pem.octets.data(), pem.size});
  if (!key) return Failure{path + ' ' + key.error().message};
  return key;
}

std::string PrivateKey::sign(std::string_view sha256_digest) const {
  ensure(sha256_digest.size() == 32, "PrivateKey: not a SHA-256 digest");
  return type_ == KeyType::rsa ? sign_rsa(key_.get(), sha256_digest) : sign_ed25519(key_.get(), sha256_digest);
}

std::string PrivateKey::public_octets() const {
  if (type_ == KeyType::ed25519) {
    std::string octets(32, '\0');
    std::size_t length = octets.size();
    ensure(EVP_PKEY_get_raw_public_key(key_.get(), unsigned_octets(octets), &length) == 1,
           "PrivateKey: no public half");
    return octets;
  }
  const int length = i2d_PUBKEY(key_.get(), nullptr);
  ensure(length > 0, "PrivateKey: no public half");
  std::string der(static_cast<std::size_t>(length), '\0');
  unsigned char* out = unsigned_octets(der);
  i2d_PUBKEY(key_.get(), &out);
  return der;
}

}  // namespace sallyport::crypto
