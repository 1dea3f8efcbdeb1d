#include "gateway/config/schema_tree.h"

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/config/key_path.h"

namespace sallyport::config {
namespace {

const Collection* find_collection(std::string_view path) {
  for (const Collection& collection : collections())
    if (collection.path == path) return &collection;
  broken("configuration: a collection without its row");
}

void insert(SchemaNode& root, const Key& key) {
  const Collection* collection = nullptr;
  if (const std::string_view prefix = collection_of(key.path); !prefix.empty()) collection = find_collection(prefix);
  SchemaNode* node = &root;
  for (std::string_view segment : text::split(key.path, '.')) {
    if (segment == "*") {
      node->collection = collection;
      if (!node->any_name) node->any_name = std::make_unique<SchemaNode>();
      node = node->any_name.get();
      continue;
    }
    const bool is_array = segment.ends_with("[]");
    if (is_array) segment.remove_suffix(2);
    node = &node->children[std::string(segment)];
    if (is_array) {
      node->is_array = true;
      node->collection = collection;
    }
  }
  node->key = &key;
}

}  // namespace

std::vector<std::string> SchemaNode::names() const {
  std::vector<std::string> list;
  for (const auto& [name, child] : children) list.push_back(name);
  return list;
}

const SchemaNode& schema_tree() {
  static const SchemaNode tree = [] {
    SchemaNode root;
    for (const Key& key : settings_table()) insert(root, key);
    return root;
  }();
  return tree;
}

}  // namespace sallyport::config
