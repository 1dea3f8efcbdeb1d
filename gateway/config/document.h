// Parses a TOML file into a tree of nodes, each with its position in the file. No other file includes toml++.
//
// The tree is at most max_document_depth levels deep, so recursion over it is bounded.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/config/config_error.h"
#include "gateway/settings/node.h"

namespace sallyport::config {

inline constexpr std::size_t max_document_depth = 16;
inline constexpr std::size_t max_document_bytes = 4u << 20;

using settings::describe;
using settings::Member;
using settings::Node;
using settings::quote;

// What is said of a key that is given twice: both places (duplicate_key.h), or what the library says.
enum class Duplicates { explain, as_found };

// Parses a document into its top-level table. `file` is only used for positions. The error is the first syntax error,
// since toml++ stops there.
Result<Node, ConfigError> parse_document(std::string_view toml, const std::string& file,
                                         Duplicates duplicates = Duplicates::explain);

}  // namespace sallyport::config
