#include "gateway/config/document.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <tuple>

// A broken invariant of the library ends the load, not the process: a reload must never take the gateway down.
#undef NDEBUG
#define TOML_ASSERT(condition) \
  if (!(condition)) throw std::logic_error("toml++: " #condition)
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace sallyport::config {
namespace {

// Turns the library's tree into ours.
class Converter {
 public:
  explicit Converter(const std::string& file) : file_(file) {}

  Node convert(const toml::node& from, std::size_t depth) {
    Node node;
    node.at = origin(from.source());
    if (depth > max_document_depth) {
      if (!too_deep_) too_deep_ = node.at;
      return node;
    }
    if (const auto* table = from.as_table()) {
      node.kind = Node::Kind::table;
      for (const auto& [key, value] : *table)
        node.members.push_back({std::string(key.str()), origin(key.source()), convert(value, depth + 1)});
      // The library sorts by name; people read errors in the order of the file.
      std::sort(node.members.begin(), node.members.end(), [](const Member& a, const Member& b) {
        return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
      });
    } else if (const auto* array = from.as_array()) {
      node.kind = Node::Kind::array;
      for (const auto& item : *array) node.items.push_back(convert(item, depth + 1));
    } else if (const auto* text = from.as_string()) {
      node.kind = Node::Kind::text;
      node.text = text->get();
    } else if (const auto* integer = from.as_integer()) {
      node.kind = Node::Kind::integer;
      node.integer = integer->get();
      node.number = static_cast<double>(integer->get());
    } else if (const auto* number = from.as_floating_point()) {
      node.kind = Node::Kind::number;
      node.number = number->get();
    } else if (const auto* boolean = from.as_boolean()) {
      node.kind = Node::Kind::boolean;
      node.boolean = boolean->get();
    } else {
      node.kind = Node::Kind::date;
    }
    return node;
  }

  const std::optional<Origin>& too_deep() const { return too_deep_; }

 private:
  Origin origin(const toml::source_region& source) const { return {file_, source.begin.line, source.begin.column}; }

  const std::string& file_;
  std::optional<Origin> too_deep_;
};

}  // namespace

std::string_view describe(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::table:
      return "a table";
    case Node::Kind::array:
      return "an array";
    case Node::Kind::text:
      return "a text";
    case Node::Kind::integer:
      return "an integer";
    case Node::Kind::number:
      return "a number";
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::date:
      return "a date or time";
  }
  return "something else";
}

Result<Node, ConfigError> parse_document(std::string_view toml, const std::string& file) {
  if (toml.size() > max_document_bytes) return ConfigError{{file, 0, 0}, "the file is larger than 4 MiB"};
  try {
    const toml::parse_result parsed = toml::parse(toml);
    if (!parsed) {
      const toml::source_position at = parsed.error().source().begin;
      return ConfigError{{file, at.line, at.column}, std::string(parsed.error().description())};
    }
    Converter converter(file);
    Node root = converter.convert(parsed.table(), 0);
    if (converter.too_deep()) return ConfigError{*converter.too_deep(), "nested too deeply"};
    return root;
  } catch (const std::logic_error& error) {
    return ConfigError{{file, 1, 1}, std::string("the TOML library cannot read this file: ") + error.what()};
  }
}

}  // namespace sallyport::config
