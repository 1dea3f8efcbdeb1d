// Finds the first octet of a few wanted ones, sixteen octets at a time: for readers that stop often, at the end of each
// line or the beginning of each tag, where memchr() for each of the wanted octets would cost more than it finds.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sallyport {

// Where one of the wanted octets stands next, at `from` or behind it; the text's end where there is none.
template <char... wanted>
std::size_t find_octet(std::string_view text, std::size_t from) {
  const char* const octets = text.data();
  if constexpr (std::endian::native == std::endian::little) {
    using Sixteen = unsigned char __attribute__((vector_size(16)));
    constexpr std::size_t stride = sizeof(Sixteen);
    for (; from + stride <= text.size(); from += stride) {
      Sixteen some;
      std::memcpy(&some, octets + from, stride);
      const auto found = ((some == static_cast<unsigned char>(wanted)) | ...);
      // An octet that is wanted is 0xff, any other one 0; the lowest is the first in memory.
      std::uint64_t halves[2];
      static_assert(sizeof halves == sizeof found);
      std::memcpy(halves, &found, sizeof halves);
      if (halves[0] != 0) return from + static_cast<std::size_t>(std::countr_zero(halves[0])) / 8;
      if (halves[1] != 0) return from + 8 + static_cast<std::size_t>(std::countr_zero(halves[1])) / 8;
    }
  }
  while (from < text.size() && ((octets[from] != wanted) && ...)) ++from;
  return from < text.size() ? from : text.size();
}

}  // namespace sallyport
