// NetworkSet: many networks, asked whether one of them has an address. Flat and sorted: 8 octets for an IPv4 network,
// 32 for one of IPv6, networks within others taken away; a question is a binary search.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "gateway/base/address.h"

namespace sallyport {

class NetworkSet {
 public:
  using V6 = std::array<std::uint8_t, 16>;
  // From the first address to the last one.
  template <class Number>
  struct Range {
    Number first{};
    Number last{};
    friend auto operator<=>(const Range&, const Range&) = default;
  };
  using V4Range = Range<std::uint32_t>;
  using V6Range = Range<V6>;

  NetworkSet() = default;
  explicit NetworkSet(std::span<const IpNetwork> networks);

  // For reading a long list: add() all, then sort() once before the first question.
  void add(const IpNetwork& network);
  void sort();

  bool contains(const IpAddress& address) const { return contains(v4_, v6_, address); }
  // The same of the ranges of a set that are kept somewhere else.
  static bool contains(std::span<const V4Range> v4, std::span<const V6Range> v6, const IpAddress& address);

  const std::vector<V4Range>& v4() const { return v4_; }
  const std::vector<V6Range>& v6() const { return v6_; }

 private:
  std::vector<V4Range> v4_;
  std::vector<V6Range> v6_;
};

}  // namespace sallyport
