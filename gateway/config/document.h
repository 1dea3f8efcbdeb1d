// A TOML file as a tree of nodes, each with its place in the file. The only door to toml++.
//
// The tree is at most max_document_depth deep, so that walking it by recursion is bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/config/config_error.h"

namespace sallyport::config {

inline constexpr std::size_t max_document_depth = 16;
inline constexpr std::size_t max_document_bytes = 4u << 20;

struct Member;

struct Node {
  enum class Kind : std::uint8_t { table, array, text, integer, number, boolean, date };

  Kind kind = Kind::table;
  std::string text;             // of a text
  std::int64_t integer = 0;     // of an integer
  double number = 0;            // of a number, and of an integer
  bool boolean = false;         // of a boolean
  std::vector<Node> items;      // of an array
  std::vector<Member> members;  // of a table, in the order of the file
  Origin at;
};

struct Member {
  std::string key;
  Origin at;  // of the key
  Node value;
};

// "a table", "an integer" ...: for error messages.
std::string_view describe(Node::Kind kind);

// A document is a table. `file` is for the positions only. TOML stops at its first syntax error.
Result<Node, ConfigError> parse_document(std::string_view toml, const std::string& file);

}  // namespace sallyport::config
