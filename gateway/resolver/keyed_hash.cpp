#include "gateway/resolver/keyed_hash.h"

#include <bit>
#include <cstring>
#include <string_view>

namespace sallyport::resolver {

namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() noexcept {
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
  void take(std::uint64_t word) noexcept {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

}  // namespace

std::uint64_t KeyedHash::operator()(const dns::Question& question) const noexcept {
  SipState state{key0_ ^ 0x736f6d6570736575, key1_ ^ 0x646f72616e646f6d, key0_ ^ 0x6c7967656e657261,
                 key1_ ^ 0x7465646279746573};
  std::string_view rest = question.name;
  while (rest.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, rest.data(), 8);
    state.take(word);
    rest.remove_prefix(8);
  }
  std::uint64_t last = 0;
  std::memcpy(&last, rest.data(), rest.size());
  state.take(last | std::uint64_t{question.name.size()} << 56);
  state.take(static_cast<std::uint64_t>(question.type));
  state.v2 ^= 0xff;
  for (int n = 0; n < 3; ++n) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace sallyport::resolver
