// What may be meant by a key that the settings table does not have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/document.h"
#include "gateway/config/schema_tree.h"

namespace sallyport::config {

// True for keys that the documents of this program name and this version does not have yet. `pattern` is the path as in
// the settings table: "tenants.*.recipients".
bool is_of_another_version(std::string_view pattern);

// True for keys that stand at the top of a file, above the first [section]: `hostname`, `domains`, `upstream`.
bool is_top_level(std::string_view key);

// A name with dots that was written without quotes, so that TOML made tables of its parts.
struct UnquotedName {
  std::string name;       // "zen.dnsbl.example"
  const Member* first;    // the second part of the name, taken for a key of the first
  const Member* setting;  // what is set for the name
};

// Finds them below a member of a collection: `schema` is the node of what its names have, `member` one that was taken
// for a name.
std::vector<UnquotedName> find_unquoted_names(const SchemaNode& schema, const Member& member);

}  // namespace sallyport::config
