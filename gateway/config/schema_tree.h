// The settings table as the tree that a TOML document is matched against.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/settings_table.h"

namespace sallyport::config {

struct SchemaNode {
  std::map<std::string, SchemaNode, std::less<>> children;
  std::unique_ptr<SchemaNode> any_name;    // what stands behind a name of the administrator's choice
  const Collection* collection = nullptr;  // of any_name, and of an array of tables
  bool is_array = false;                   // of tables: [[listen]]
  const Key* key = nullptr;                // a leaf: what takes the value

  std::vector<std::string> names() const;  // of the children
};

const SchemaNode& schema_tree();

}  // namespace sallyport::config
