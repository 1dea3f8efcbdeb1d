// Digests of octets that arrive piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace sallyport::crypto {

enum class DigestAlgorithm : std::uint8_t {
  sha1,  // names and fingerprints only; as a signature's digest it proves nothing (RFC 8301)
  sha256,
};

class Digest {
 public:
  explicit Digest(DigestAlgorithm algorithm);
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();

  void update(std::string_view octets);
  // The digest of all octets so far: 20 or 32 octets, binary. It starts anew afterwards.
  std::string finish();
  // The same of what has come so far, without an end: more may follow.
  std::string so_far() const;

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  DigestAlgorithm algorithm_;
  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

// Of octets that are all there.
std::string digest(DigestAlgorithm algorithm, std::string_view octets);
inline std::string sha256(std::string_view octets) { return digest(DigestAlgorithm::sha256, octets); }

}  // namespace sallyport::crypto
