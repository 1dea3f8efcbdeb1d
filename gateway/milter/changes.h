// Changes: what a milter wants to have changed of a message, collected until its end, and how header fields change.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/base/text.h"

namespace sallyport {

namespace milter {

// One field: its name, and its value with the blank behind the colon and CRLF between its lines, without the last one.
struct HeaderField {
  std::string name;
  std::string value;
  friend bool operator==(const HeaderField&, const HeaderField&) = default;

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("value", value);
  }
};

// In the order in which the milter has asked for them, which matters: each sees what those before have done.
struct HeaderChange {
  enum class Kind : std::uint8_t { append, insert, change };
  Kind kind = Kind::append;
  // insert: before the field of this number from 0 on, at the end when there are fewer; change: the number among the
  // fields of that name, from 1 on (0 is taken for 1).
  std::uint32_t index = 0;
  HeaderField field;
  bool removes = false;  // of change
  friend bool operator==(const HeaderChange&, const HeaderChange&) = default;

  template <class V>
  void fields(V& visit) {
    visit("kind", kind);
    visit("index", index);
    visit("field", field);
    visit("removes", removes);
  }
};

struct EnvelopeRcpt {
  std::string path;
  std::string parameters;
  friend bool operator==(const EnvelopeRcpt&, const EnvelopeRcpt&) = default;

  template <class V>
  void fields(V& visit) {
    visit("path", path);
    visit("parameters", parameters);
  }
};

struct Changes {
  std::vector<HeaderChange> header;
  std::optional<std::string> body;  // all of it
  std::vector<EnvelopeRcpt> added_rcpts;
  std::vector<std::string> deleted_rcpts;
  std::optional<EnvelopeRcpt> sender;
  std::optional<std::string> quarantine;  // the reason

  bool is_empty() const {
    return header.empty() && !body && added_rcpts.empty() && deleted_rcpts.empty() && !sender && !quarantine;
  }
  friend bool operator==(const Changes&, const Changes&) = default;

  // All but the body, which may be large.
  template <class V>
  void fields(V& visit) {
    visit("header", header);
    visit("added_rcpts", added_rcpts);
    visit("deleted_rcpts", deleted_rcpts);
    visit("sender", sender);
    visit("quarantine", quarantine);
  }
};

// Does the changes to the fields, which stand in their order from the top. A change of a field that is not there adds
// it at the end, unless it removes. Field is HeaderField, or derived from it and made of one.
template <class Field>
void apply_changes(const std::vector<HeaderChange>& changes, std::vector<Field>& fields) {
  const auto at_place = [&fields](std::uint32_t place) {
    return fields.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(place, fields.size()));
  };
  const auto named = [&fields](std::string_view name, std::uint32_t number) {
    std::uint32_t seen = 0;
    return std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
      return text::equals_ignoring_case(field.name, name) && ++seen == number;
    });
  };
  for (const HeaderChange& one : changes) {
    if (one.kind != HeaderChange::Kind::change) {
      const bool is_at_end = one.kind == HeaderChange::Kind::append;
      fields.insert(is_at_end ? fields.end() : at_place(one.index), Field{one.field});
      continue;
    }
    const auto found = named(one.field.name, std::max<std::uint32_t>(1, one.index));
    const bool is_there = found != fields.end();
    if (one.removes) {
      if (is_there) fields.erase(found);
    } else if (is_there) {
      *found = Field{one.field};
    } else {
      fields.push_back(Field{one.field});
    }
  }
}

}  // namespace milter

template <>
inline constexpr auto words_of<milter::HeaderChange::Kind> =
    std::to_array<std::string_view>({"append", "insert", "change"});

}  // namespace sallyport
