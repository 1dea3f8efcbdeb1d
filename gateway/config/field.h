// How one key of the configuration reaches its field in Settings, in both directions.
//
// A section function gives the struct (`LimitSettings& limits(Settings&, const Instance&)`), a member pointer the field
// in it: field<limits, &LimitSettings::hops>. Types are converted here and nowhere else.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "gateway/base/ensure.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/config/value.h"
#include "gateway/config/words.h"

namespace sallyport::config {

// Which one of many: the name for `upstreams.*`, the number for `listen[]`. A key has at most one such place.
struct Instance {
  std::string name;
  std::size_t index = 0;
};

struct Field {
  void (*write)(Settings& settings, const Instance& which, const Value& value) = nullptr;
  Value (*read)(Settings& settings, const Instance& which) = nullptr;
  std::span<const std::string_view> words;  // of an enumeration

  // Keys without a field of their own are resolved into those of others.
  bool exists() const { return write != nullptr; }
};

namespace detail {

template <class T>
void assign(T& field, const Value& value) {
  if constexpr (std::is_enum_v<T>) {
    const auto& words = Words<T>::list;
    const auto found = std::find(words.begin(), words.end(), std::get<std::string>(value));
    ensure(found != words.end(), "configuration: a word that no enumerator has");
    field = static_cast<T>(found - words.begin());
  } else if constexpr (std::is_same_v<T, std::optional<double>>) {
    field = std::get<double>(value);
  } else {
    field = std::get<T>(value);
  }
}

template <class T>
Value as_value(const T& field) {
  if constexpr (std::is_enum_v<T>)
    return std::string(Words<T>::list.at(static_cast<std::size_t>(field)));
  else if constexpr (std::is_same_v<T, std::optional<double>>)
    return field.value_or(0);
  else
    return field;
}

template <class T>
constexpr std::span<const std::string_view> words_of() {
  if constexpr (std::is_enum_v<T>)
    return Words<T>::list;
  else
    return {};
}

template <auto Section, auto Member>
using FieldType = std::remove_reference_t<decltype(Section(std::declval<Settings&>(), Instance{}).*Member)>;

}  // namespace detail

// The field `Member` of the struct that `Section` gives.
template <auto Section, auto Member>
inline constexpr Field field{
    [](Settings& settings, const Instance& which, const Value& value) {
      detail::assign(Section(settings, which).*Member, value);
    },
    [](Settings& settings, const Instance& which) { return detail::as_value(Section(settings, which).*Member); },
    detail::words_of<detail::FieldType<Section, Member>>()};

// What `Section` gives is the field itself.
template <auto Section>
inline constexpr Field whole{
    [](Settings& settings, const Instance& which, const Value& value) {
      detail::assign(Section(settings, which), value);
    },
    [](Settings& settings, const Instance& which) { return detail::as_value(Section(settings, which)); },
    {}};

}  // namespace sallyport::config
