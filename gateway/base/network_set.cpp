#include "gateway/base/network_set.h"

#include <algorithm>
#include <cstring>

namespace sallyport {

namespace {

std::uint32_t v4_number(const IpAddress& address) {
  std::uint32_t number = 0;
  for (const char octet : address.octets()) number = number << 8 | static_cast<std::uint8_t>(octet);
  return number;
}

NetworkSet::V6 v6_number(const IpAddress& address) {
  NetworkSet::V6 number{};
  std::memcpy(number.data(), address.octets().data(), number.size());
  return number;
}

// Ranges of networks lie within one another or apart, so after sorting the wider of those with the same begin is last.
template <class Number>
void sort_ranges(std::vector<NetworkSet::Range<Number>>& ranges) {
  using Range = NetworkSet::Range<Number>;
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.first != b.first ? a.first < b.first : b.last < a.last; });
  const auto lies_within = [](const Range& outer, const Range& inner) { return inner.last <= outer.last; };
  ranges.erase(std::unique(ranges.begin(), ranges.end(), lies_within), ranges.end());
  ranges.shrink_to_fit();
}

template <class Number>
bool has(std::span<const NetworkSet::Range<Number>> ranges, const Number& number) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), number,
                                      [](const Number& one, const auto& range) { return one < range.first; });
  return after != ranges.begin() && number <= std::prev(after)->last;
}

}  // namespace

NetworkSet::NetworkSet(std::span<const IpNetwork> networks) {
  for (const IpNetwork& network : networks) add(network);
  sort();
}

void NetworkSet::add(const IpNetwork& network) {
  const unsigned prefix = network.prefix_bits();
  if (network.base().is_v4()) {
    const std::uint32_t first = v4_number(network.base());
    v4_.push_back({first, first | (prefix == 0 ? UINT32_MAX : (std::uint32_t{1} << (32 - prefix)) - 1)});
    return;
  }
  V6Range range{v6_number(network.base()), v6_number(network.base())};
  for (unsigned bit = prefix; bit < 128; ++bit) {
    range.last[bit / 8] = static_cast<std::uint8_t>(range.last[bit / 8] | (0x80u >> (bit % 8)));
  }
  v6_.push_back(range);
}

void NetworkSet::sort() {
  sort_ranges(v4_);
  sort_ranges(v6_);
}

bool NetworkSet::contains(std::span<const V4Range> v4, std::span<const V6Range> v6, const IpAddress& address) {
  return address.is_v4() ? has<std::uint32_t>(v4, v4_number(address)) : has<V6>(v6, v6_number(address));
}

}  // namespace sallyport
