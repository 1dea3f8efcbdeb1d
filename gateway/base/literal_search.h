// LiteralSearch: which of many texts occur in another one, the case of ASCII letters aside (Aho-Corasick).
//
// Linear in the text whatever the texts are, a few nanoseconds for each octet. Thread-safe once made.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport {

class LiteralSearch {
 public:
  // Fails when the tables would be larger than `most_octets`. Empty literals are never found.
  static Result<LiteralSearch> of(const std::vector<std::string>& literals, std::size_t most_octets);

  // The numbers of the literals that occur in the text, each once, in no order.
  std::vector<int> found_in(std::string_view text) const;

 private:
  LiteralSearch() = default;

  static constexpr std::uint32_t none = UINT32_MAX;
  std::array<std::uint8_t, 256> class_of_{};  // octets that no literal has are of class 0
  std::size_t classes_ = 1;
  std::vector<std::uint32_t> next_;     // by state and class, times classes_
  std::vector<std::uint32_t> ends_;     // by state: the first of `literals_` that ends there, or that of a suffix; none
  std::vector<std::uint32_t> shorter_;  // by state: the next state of the same kind, for the literals that are suffixes
  std::vector<std::vector<int>> literals_;
  std::size_t count_ = 0;
};

}  // namespace sallyport
