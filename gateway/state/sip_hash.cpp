#include "gateway/state/sip_hash.h"

#include <bit>
#include <cstring>

namespace sallyport::state {

namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  std::uint64_t finish() {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

// Up to eight octets as a little-endian number.
std::uint64_t read_word(std::string_view octets) {
  std::array<unsigned char, 8> bytes{};
  std::memcpy(bytes.data(), octets.data(), octets.size());
  std::uint64_t word = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) word = word << 8 | bytes[i - 1];
  return word;
}

}  // namespace

Fingerprint sip_hash(const HashKey& key, std::string_view octets) {
  State state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573};
  const std::uint64_t length = octets.size();
  for (; octets.size() >= 8; octets.remove_prefix(8)) state.take(read_word(octets.substr(0, 8)));
  state.take(length << 56 | read_word(octets));
  Fingerprint result;
  state.v2 ^= 0xee;
  result.low = state.finish();
  state.v1 ^= 0xdd;
  result.high = state.finish();
  return result;
}

}  // namespace sallyport::state
