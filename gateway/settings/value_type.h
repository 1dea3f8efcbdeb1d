// ValueType: how values of one C++ type are read from TOML, with the error messages, and how they are written back.
//
// Types that several sections use are in value_types.h. A module whose settings have a type of their own (the reply
// ranges of DNS lists, certificates) defines its ValueType in its own folder, with text_type() or list_type() below.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/settings/node.h"

namespace sallyport::settings {

// The form of a value in TOML, and so the meaning of its row's bounds.
enum class Form : std::uint8_t {
  boolean,
  number,  // an integer or a number
  text,    // a string
  list,    // an array; its least bound is the least number of entries
  other,   // a string or a table
};

// The bounds of one row, written like its values but without quotes; empty: no bound.
struct Bounds {
  std::string_view least;
  std::string_view most;
  bool may_be_empty = false;  // for texts: "" is allowed and means "not set"
};

struct ValueType;

// What the functions that read a value need. The functions below that report an error return false, which the caller
// returns in turn.
struct Reading {
  const ValueType& type;
  Bounds bounds;
  const std::string& directory;  // directory from which relative paths count
  ConfigErrors& errors;

  bool fail(const Node& node, std::string message) const;
  // "expected a duration like "5s", not an integer 5"
  bool mismatch(const Node& node) const;
  // "7 is out of range: 8 to 9"; `got` is the value as text.
  bool out_of_range(const Node& node, std::string_view got) const;
  // For a text without a meaning: "expected ..., not "x"".
  Failure wrong(std::string_view text) const;
  std::string resolve(std::string_view path) const;
};

struct ValueType {
  std::string_view name;  // "duration", "list of networks"
  Form form;
  // As in `a duration like "5s"`; empty for types with `words`.
  std::string_view expected;
  // The allowed texts of an enumeration or another closed set.
  std::span<const std::string_view> words;
  // The type as JSON Schema, without bounds; empty for types with `words`.
  std::string_view schema;

  // Reads the node into `value`, which points to a T; when it is null the node is only checked. False after an error
  // was added.
  bool (*read)(const Node& node, const Reading& reading, void* value);
  // Writes the value so that read() can read it. Empty: an optional without a value, which is not written.
  std::string (*to_toml)(const void* value);

  std::string expectation() const;
};

// A ValueType whose values' type is known.
template <class T>
struct TypeOf : ValueType {
  constexpr explicit TypeOf(ValueType type) : ValueType(type) {}
};

// Stores a value in `target` unless that is null; always true.
template <class T>
bool give(T&& value, void* target) {
  if (target != nullptr) *static_cast<std::remove_cvref_t<T>*>(target) = std::forward<T>(value);
  return true;
}

namespace detail {

// Reads the entries of an array of texts and reports each entry that is wrong.
bool read_texts(const Node& node, const Reading& reading, void* list,
                bool (*add)(const Node& item, const Reading& reading, void* list));
bool check_length(const Node& node, const Reading& reading, std::size_t length);

}  // namespace detail

// Makes the type of a value that is written as one text. Parse: Result<T>(std::string_view, const Reading&). Write:
// std::string(const T&), which gives the text without quotes.
template <class T, auto Parse, auto Write>
constexpr TypeOf<T> text_type(std::string_view name, std::string_view expected, std::string_view schema) {
  return TypeOf<T>({name,
                    Form::text,
                    expected,
                    {},
                    schema,
                    [](const Node& node, const Reading& reading, void* value) {
                      if (node.kind != Node::Kind::text) return reading.mismatch(node);
                      if constexpr (std::is_same_v<T, std::string>) {
                        if (node.text.empty() && reading.bounds.may_be_empty) return give(std::string(), value);
                      }
                      Result<T> parsed = Parse(node.text, reading);
                      if (!parsed) return reading.fail(node, parsed.error().message);
                      return give(std::move(*parsed), value);
                    },
                    [](const void* value) { return quote(Write(*static_cast<const T*>(value))); }});
}

// Makes the type of a list of such values.
template <class T, auto Parse, auto Write>
constexpr TypeOf<std::vector<T>> list_type(std::string_view name, std::string_view expected, std::string_view schema) {
  using List = std::vector<T>;
  return TypeOf<List>({name,
                       Form::list,
                       expected,
                       {},
                       schema,
                       [](const Node& node, const Reading& reading, void* value) {
                         List list;
                         const auto add = [](const Node& item, const Reading& reader, void* entries) {
                           Result<T> parsed = Parse(item.text, reader);
                           if (!parsed) return reader.fail(item, parsed.error().message);
                           static_cast<List*>(entries)->push_back(std::move(*parsed));
                           return true;
                         };
                         if (!detail::read_texts(node, reading, &list, add)) return false;
                         if (!detail::check_length(node, reading, list.size())) return false;
                         return give(std::move(list), value);
                       },
                       [](const void* value) {
                         std::string text = "[";
                         for (const T& item : *static_cast<const List*>(value)) {
                           if (text.size() > 1) text += ", ";
                           text += quote(Write(item));
                         }
                         return text + "]";
                       }});
}

// Reads a text that must be one of `words`, with did-you-mean; returns its index.
std::optional<std::size_t> read_word(const Node& node, const Reading& reading);

}  // namespace sallyport::settings
