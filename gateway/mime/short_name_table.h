// ShortNameTable: finds what belongs to a name of at most eight octets, in a table that the compiler makes. Readers of
// HTML ask for each tag and each character reference, so a search by comparing names would be much of their work.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace sallyport::mime {

template <class Value, std::size_t count>
class ShortNameTable {
 public:
  static constexpr std::size_t longest = 8;

  // Names that are longer are left out.
  explicit constexpr ShortNameTable(const std::array<std::pair<std::string_view, Value>, count>& entries) {
    for (const auto& [name, value] : entries) {
      if (name.size() > longest) continue;
      std::size_t at = place_of(key_of(name));
      while (slots_[at].size != 0) at = (at + 1) % slots_.size();
      slots_[at] = {key_of(name), static_cast<std::uint8_t>(name.size()), value};
    }
  }

  // Null for other names.
  constexpr const Value* find(std::string_view name) const {
    if (name.empty() || name.size() > longest) return nullptr;
    const std::uint64_t key = key_of(name);
    for (std::size_t at = place_of(key); slots_[at].size != 0; at = (at + 1) % slots_.size()) {
      if (slots_[at].key == key && slots_[at].size == name.size()) return &slots_[at].value;
    }
    return nullptr;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint8_t size = 0;  // 0: empty
    Value value{};
  };
  static constexpr std::size_t slots = std::bit_ceil(4 * count);

  static constexpr std::uint64_t key_of(std::string_view name) {
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
      key |= std::uint64_t{static_cast<unsigned char>(name[i])} << 8 * i;
    }
    return key;
  }
  // The high bits of a product with an odd number depend on all octets.
  static constexpr std::size_t place_of(std::uint64_t key) {
    return static_cast<std::size_t>(key * 0x9e3779b97f4a7c15 >> (64 - std::countr_zero(slots)));
  }

  std::array<Slot, slots> slots_{};
};

}  // namespace sallyport::mime
