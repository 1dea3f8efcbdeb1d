// Digest: SHA-256, SHA-1 or MD5 of octets that arrive in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace sallyport::crypto {

enum class DigestAlgorithm : std::uint8_t {
  sha1,  // for names and fingerprints only; not accepted in signatures (RFC 8301)
  sha256,
  md5,  // for looking up what others have published under it only: files with equal MD5 are easily made
};

class Digest {
 public:
  explicit Digest(DigestAlgorithm algorithm);
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();

  void update(std::string_view octets);
  // The digest of all octets so far, binary: 32, 20 or 16 octets. Resets the object, so that it can be used again.
  std::string finish();
  // The digest of all octets so far, without a reset: more may follow.
  std::string so_far() const;

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  DigestAlgorithm algorithm_;
  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

// The digest of octets that are all at hand.
std::string digest(DigestAlgorithm algorithm, std::string_view octets);
inline std::string sha256(std::string_view octets) { return digest(DigestAlgorithm::sha256, octets); }

}  // namespace sallyport::crypto
