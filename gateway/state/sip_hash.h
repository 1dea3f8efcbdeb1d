// SipHash-2-4 with a 128-bit result (Aumasson, Bernstein): a keyed hash, so that nobody who does not know the key can
// choose inputs that collide (threats.md I6, R17). Wide enough to stand for the input itself.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sallyport::state {

using HashKey = std::array<std::uint64_t, 2>;

struct Fingerprint {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

Fingerprint sip_hash(const HashKey& key, std::string_view octets);

}  // namespace sallyport::state
