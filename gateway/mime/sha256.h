// Sha256: the digest of a part's decoded content, which is made when somebody first asks for it where the content is
// kept, as that of short texts is: of most of them nobody asks. Copies share the content and the digest.
//
// A plain value to whoever reads it; but the first reading writes, so one thread at a time may read it and its copies:
// that of the mail's loop.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::mime {

class Sha256 {
 public:
  using Octets = std::array<std::uint8_t, 32>;

  Sha256() = default;
  explicit Sha256(const Octets& octets) : octets_(octets) {}
  // Of this content, which is kept as long as a copy of this object is there.
  explicit Sha256(std::string content) : kept_(std::make_shared<Kept>(Kept{std::move(content), std::nullopt})) {}

  const Octets& octets() const;
  // Null where it is not kept.
  const std::string* content() const { return kept_ ? &kept_->content : nullptr; }

  friend bool operator==(const Sha256& a, const Sha256& b);

 private:
  struct Kept {
    std::string content;
    std::optional<Octets> octets;
  };
  Octets octets_{};
  std::shared_ptr<Kept> kept_;
};

// In hexadecimal.
std::string to_field_text(const Sha256& digest);
bool from_field_text(std::string_view hex, Sha256& digest);
// For tests: any digest. `random` gives 64 random bits.
template <class Random>
void fill_random(Sha256& digest, Random random) {
  Sha256::Octets octets{};
  for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(random());
  digest = Sha256(octets);
}

}  // namespace sallyport::mime
