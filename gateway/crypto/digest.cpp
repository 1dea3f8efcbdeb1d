#include "gateway/crypto/digest.h"

#include <openssl/evp.h>

#include <array>

#include "gateway/base/ensure.h"

namespace sallyport::crypto {

namespace {

// Fetching an algorithm costs as much as hashing a short message, so it is done once; the result is immutable and used
// by all threads.
const EVP_MD* algorithm_of(DigestAlgorithm algorithm) {
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  switch (algorithm) {
    case DigestAlgorithm::sha1:
      return sha1;
    case DigestAlgorithm::sha256:
      return sha256;
    case DigestAlgorithm::md5:
      break;
  }
  return md5;
}

}  // namespace

void Digest::FreeContext::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Digest::Digest(DigestAlgorithm algorithm) : algorithm_(algorithm), context_(EVP_MD_CTX_new()) {
  const EVP_MD* fetched = algorithm_of(algorithm);
  ensure(context_ && fetched && EVP_DigestInit_ex2(context_.get(), fetched, nullptr) == 1, "Digest: cannot start");
}

Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(std::string_view octets) {
  ensure(EVP_DigestUpdate(context_.get(), octets.data(), octets.size()) == 1, "Digest: cannot go on");
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned count = 0;
  bool finished = EVP_DigestFinal_ex(context_.get(), octets.data(), &count) == 1 &&
                  EVP_DigestInit_ex2(context_.get(), algorithm_of(algorithm_), nullptr) == 1;
  ensure(finished, "Digest: cannot finish");
  return {reinterpret_cast<const char*>(octets.data()), count};
}

std::string Digest::so_far() const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned count = 0;
  const std::unique_ptr<evp_md_ctx_st, FreeContext> copy(EVP_MD_CTX_new());
  bool finished = copy && EVP_MD_CTX_copy_ex(copy.get(), context_.get()) == 1 &&
                  EVP_DigestFinal_ex(copy.get(), octets.data(), &count) == 1;
  ensure(finished, "Digest: cannot finish");
  return {reinterpret_cast<const char*>(octets.data()), count};
}

std::string digest(DigestAlgorithm algorithm, std::string_view octets) {
  Digest whole(algorithm);
  whole.update(octets);
  return whole.finish();
}

}  // namespace sallyport::crypto
