// SetOf: a set of members of an enumeration that has words (gateway/base/fields.h). A plain value; in fields() it is
// written as its words, with a space between two of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/fields.h"

namespace sallyport::mime {

template <class E>
class SetOf {
 public:
  constexpr SetOf() = default;
  constexpr SetOf(E one) { add(one); }  // implicit: a set of one

  constexpr void add(E one) { bits_[index(one) / 64] |= std::uint64_t{1} << index(one) % 64; }
  constexpr void add(const SetOf& more) {
    for (std::size_t i = 0; i < bits_.size(); ++i) bits_[i] |= more.bits_[i];
  }
  constexpr void remove(E one) { bits_[index(one) / 64] &= ~(std::uint64_t{1} << index(one) % 64); }
  constexpr bool has(E one) const { return (bits_[index(one) / 64] >> index(one) % 64 & 1) != 0; }
  constexpr bool has_any(const SetOf& of) const {
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      if ((bits_[i] & of.bits_[i]) != 0) return true;
    }
    return false;
  }
  constexpr bool empty() const { return *this == SetOf(); }
  friend constexpr bool operator==(const SetOf&, const SetOf&) = default;
  friend constexpr SetOf operator|(SetOf a, const SetOf& b) {
    a.add(b);
    return a;
  }

  // Calls visit(E) for each member, in the order of the enumeration.
  template <class Visit>
  constexpr void for_each(Visit visit) const {
    for (std::size_t i = 0; i < size; ++i) {
      if (has(static_cast<E>(i))) visit(static_cast<E>(i));
    }
  }

 private:
  static constexpr std::size_t size = words_of<E>.size();
  static constexpr std::size_t index(E one) { return static_cast<std::size_t>(one); }
  std::array<std::uint64_t, (size + 63) / 64> bits_{};
};

// "bad_base64 nul"
template <class E>
std::string to_field_text(const SetOf<E>& set) {
  std::string words;
  set.for_each([&words](E one) {
    if (!words.empty()) words += ' ';
    words += word(one);
  });
  return words;
}
template <class E>
bool from_field_text(std::string_view text, SetOf<E>& set) {
  set = {};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const auto one = from_word<E>(text.substr(0, end));
    if (!one) return false;
    set.add(*one);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

// For tests: any set. `random` gives 64 random bits.
template <class E, class Random>
void fill_random(SetOf<E>& set, Random random) {
  set = {};
  for (std::size_t i = 0; i < words_of<E>.size(); ++i) {
    if (random() % 4 == 0) set.add(static_cast<E>(i));
  }
}

}  // namespace sallyport::mime
