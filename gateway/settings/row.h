// Row: one key of a section: what it is called, which member of the section's struct it fills, and what it means.
//
//     constexpr Row rows[] = {
//         row<&SpfSettings::on_fail>("on_fail", "What becomes of mail whose sender's domain does not allow the
//         client."), row<&SpfSettings::score>("score", "What each of these results adds that is set to score.",
//         scores), row<&ArcSettings::seal, &ArcSealSettings::key_file>("seal.key.file", type::path, "The file with that
//         key."), row<&DnsblSettings::zones, &DnsblZone::score>("zones.*.score", "What a hit adds.", scores),
//     };
//
// The member says the rest: its type is that of the values (value_type<T>, where the row names no other), the words of
// an enumeration are its words, and the default is what the member holds in a struct made by its default constructor.
// A key's "*" stands for the name in a std::map, "[]" for the place in a std::vector of structs.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gateway/settings/value_types.h"

namespace sallyport::settings {

// When a changed value takes effect after a reload.
enum class Reload : std::uint8_t {
  live,             // at once
  new_connections,  // for connections accepted after the reload; running sessions keep the value they started with
  restart,          // at the next start of the program
};

// What is put in for one "*" (a name) or "[]" (an index) of a path.
struct Place {
  // Implicit, so that full_path("upstreams.*.tls", {name}) and full_path("listen[].tls", {0}) can be written.
  Place(std::string the_name) : name(std::move(the_name)) {}
  Place(const char* the_name) : name(the_name) {}
  template <std::integral I>
  Place(I the_index) : index(static_cast<std::size_t>(the_index)) {}

  std::string name;
  std::size_t index = 0;

  friend bool operator==(const Place&, const Place&) = default;
};
using Places = std::vector<Place>;

// The key whose value applies when a key was not given; its own default comes after that.
struct Fallback {
  std::string_view key;  // absolute: "policy.mode"
  // True: the tenant's value of the fallback key comes before the global value of this key, because a tenant that
  // switches all checks off with one line also means those that have a mode of their own. False: the global value of
  // this key comes first, because it is more specific: a list's own score, given globally, comes before a tenant's
  // score for lists without one.
  bool tenant_first = false;
};

struct Options {
  std::string_view least = {};  // the bounds, written like a value; of a list: the least number of entries
  std::string_view most = {};
  Reload reload = Reload::new_connections;
  Fallback falls_back_to = {};
  bool required = false;  // no default: must be given wherever its table is
  // Takes effect while files are read, through other keys (policy.mode through the modes that fall back to it). It has
  // no effective value of its own and is neither shown nor hashed.
  bool while_loading = false;
  std::string_view stands_for = {};  // a short form: the absolute key, of the instance "default", that it sets
};

inline constexpr Options scores{.least = "-1000", .most = "1000"};

struct Row {
  std::string_view key;  // relative to the section: "on_fail", "zones.*.score"
  const ValueType* type;
  std::string_view doc;  // one sentence
  Options options;
  // Gives the member in a struct of the section; an element that does not exist yet is created. `which` has one place
  // for each "*" and "[]" of the key. Null: the key has no member (short forms, `include`).
  void* (*member)(void* settings, std::span<const Place> which);

  bool has_member() const { return member != nullptr; }
};

namespace detail {

template <class T>
struct Step {
  static constexpr bool is_collection = false;
};
template <class T>
struct Step<std::map<std::string, T>> {
  static constexpr bool is_collection = true;
  using Element = T;
  static T& make(std::map<std::string, T>& map, const Place& place) { return map[place.name]; }
};
template <class T>
struct Step<std::vector<T>> {
  static constexpr bool is_collection = true;
  using Element = T;
  static T& make(std::vector<T>& list, const Place& place) {
    if (list.size() <= place.index) list.resize(place.index + 1);
    return list[place.index];
  }
};

// The element of a collection, as the last step of a path: row<&ServerTlsSettings::sni, element>("sni.*.cert", ...).
struct Element {};

template <class S, class T>
S struct_of(T S::*);
template <class S, class T>
T type_of(T S::*);

template <auto First, auto... Rest>
struct Path {
  using Struct = decltype(struct_of(First));
  using Here = decltype(type_of(First));
  static constexpr bool through = sizeof...(Rest) > 0 && Step<Here>::is_collection;

  static void* member(void* settings, std::span<const Place> which) {
    Here& here = static_cast<Struct*>(settings)->*First;
    if constexpr (sizeof...(Rest) == 0)
      return &here;
    else if constexpr (through)
      return Path<Rest...>::member(&Step<Here>::make(here, which.front()), which.subspan(1));
    else
      return Path<Rest...>::member(&here, which);
  }
};

template <>
struct Path<Element{}> {
  static void* member(void* element, std::span<const Place>) { return element; }
};

// The type of the member at the end of a path.
template <auto First, auto... Rest>
struct Last {
  using Type = typename Last<Rest...>::Type;
};
template <auto Only>
struct Last<Only> {
  using Type = decltype(type_of(Only));
};
template <auto Only, Element E>
struct Last<Only, E> {
  using Type = typename Step<decltype(type_of(Only))>::Element;
};

}  // namespace detail

inline constexpr detail::Element element{};

// Makes a row. `Members` is the path from the section's struct to the member that holds the value.
template <auto... Members>
constexpr Row row(std::string_view key, const TypeOf<typename detail::Last<Members...>::Type>& type,
                  std::string_view doc, Options options = {}) {
  return Row{key, &type, doc, options, detail::Path<Members...>::member};
}
template <auto... Members>
constexpr Row row(std::string_view key, std::string_view doc, Options options = {}) {
  using T = typename detail::Last<Members...>::Type;
  static_assert(value_type<T> != nullptr, "the row must say which type of value this member holds");
  return row<Members...>(key, *value_type<T>, doc, options);
}
// Makes a row for a key without a member.
constexpr Row bare_row(std::string_view key, const ValueType& type, std::string_view doc, Options options = {}) {
  return Row{key, &type, doc, options, nullptr};
}

}  // namespace sallyport::settings
