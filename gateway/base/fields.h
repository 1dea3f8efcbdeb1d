// Fields: what a plain value is made of, named once, for all who have to write it down or read it back.
//
// A struct has `template <class V> void fields(V& visit)` that calls visit("name", member) for each member, in order.
// The visitor is one of field_json.h's: a FieldWriter makes JSON of the value, a FieldReader makes the value of JSON,
// and a member that is forgotten is missing in both, where a round trip shows it. An enumeration that takes part has an
// overload of words(): its words in the order of its enumerators.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace sallyport {

// The words of an enumeration. Specialized beside it: `template <> inline constexpr auto words_of<Mode> = std::array{...}`
template <class E>
inline constexpr std::array<std::string_view, 0> words_of{};

template <class E>
concept Worded = std::is_enum_v<E> && (words_of<E>.size() > 0);

// "enforce" of Mode::enforce.
template <Worded E>
constexpr std::string_view word(E value) {
  return words_of<E>[static_cast<std::size_t>(value)];
}

// The way back; nothing for what is none of its words.
template <Worded E>
constexpr std::optional<E> from_word(std::string_view text) {
  for (std::size_t i = 0; i < words_of<E>.size(); ++i) {
    if (words_of<E>[i] == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace sallyport
