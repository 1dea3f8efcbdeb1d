// Node: a value of a configuration file as written, with its position in the file.
//
// gateway/config makes the tree from TOML, and the value types (value_type.h) read its nodes. The tree is at most
// max_document_depth levels deep (gateway/config/document.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/settings/config_error.h"

namespace sallyport::settings {

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

// Writes a text as a TOML string, with its quotes.
std::string quote(std::string_view text);

}  // namespace sallyport::settings
