// SipHash (Aumasson, Bernstein): a keyed hash; without the key nobody can choose inputs that collide (threats.md I6,
// R17). Used for every table whose keys come from peers.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sallyport {

using HashKey = std::array<std::uint64_t, 2>;

// The hash state, fed with 64-bit words: `compression` rounds per word, `finalization` rounds at the end. Use 1-3 for
// hash tables, 2-4 where the hash replaces the input.
template <int compression, int finalization>
class SipHash {
 public:
  explicit SipHash(const HashKey& key)
      : v0_(key[0] ^ 0x736f6d6570736575),
        v1_(key[1] ^ 0x646f72616e646f6d),
        v2_(key[0] ^ 0x6c7967656e657261),
        v3_(key[1] ^ 0x7465646279746573) {}

  void add(std::uint64_t word) noexcept {
    v3_ ^= word;
    rounds(compression);
    v0_ ^= word;
  }
  // Adds octets as little-endian words; the last word carries the length, as in the reference implementation.
  void add(std::string_view octets) noexcept {
    const std::uint64_t length = octets.size();
    for (; octets.size() >= sizeof(std::uint64_t); octets.remove_prefix(sizeof(std::uint64_t))) {
      if constexpr (std::endian::native == std::endian::little) {
        std::uint64_t word = 0;
        std::memcpy(&word, octets.data(), sizeof word);
        add(word);
      } else {
        add(word_of(octets.substr(0, sizeof(std::uint64_t))));
      }
    }
    add(length << 56 | word_of(octets));
  }
  std::uint64_t finish() noexcept {
    v2_ ^= 0xff;
    rounds(finalization);
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }
  // Selects the 128-bit variant; call it before anything is added.
  void widen() noexcept { v1_ ^= 0xee; }
  std::array<std::uint64_t, 2> finish_wide() noexcept {
    std::array<std::uint64_t, 2> result;
    v2_ ^= 0xee;
    rounds(finalization);
    result[0] = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xdd;
    rounds(finalization);
    result[1] = v0_ ^ v1_ ^ v2_ ^ v3_;
    return result;
  }

 private:
  // Up to eight octets as a little-endian number.
  static std::uint64_t word_of(std::string_view octets) noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = octets.size(); i > 0; --i) word = word << 8 | static_cast<unsigned char>(octets[i - 1]);
    return word;
  }
  void rounds(int count) noexcept {
    for (int i = 0; i < count; ++i) {
      v0_ += v1_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v3_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ += v3_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ += v1_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v2_ = std::rotl(v2_, 32);
    }
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

// 128 bits of SipHash-2-4: wide enough to replace the input as a key.
struct Fingerprint {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

inline Fingerprint fingerprint(const HashKey& key, std::string_view octets) {
  SipHash<2, 4> hash(key);
  hash.widen();
  hash.add(octets);
  auto [low, high] = hash.finish_wide();
  return {low, high};
}

}  // namespace sallyport
