// The settings table as a tree, against which TOML documents are matched.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/settings_table.h"

namespace sallyport::config {

struct SchemaNode {
  // Shared, because the tree below `policy` is also the tree below each tenant's `policy`.
  std::map<std::string, std::shared_ptr<SchemaNode>, std::less<>> children;
  std::shared_ptr<SchemaNode> any_name;    // the node below a name chosen by the administrator
  const Collection* collection = nullptr;  // of any_name, or of an array of tables
  bool is_array = false;                   // an array of tables: [[listen]]
  bool is_tenant = false;                  // its child `policy` holds the tenant's overrides
  const Key* key = nullptr;                // set in a leaf: the key that takes the value

  std::vector<std::string> names() const;  // names of the children
};

const SchemaNode& schema_tree();

}  // namespace sallyport::config
