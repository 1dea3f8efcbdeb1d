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

std::shared_ptr<SchemaNode> made(std::shared_ptr<SchemaNode>& node) {
  if (!node) node = std::make_shared<SchemaNode>();
  return node;
}

void insert(SchemaNode& root, const Key& key) {
  SchemaNode* node = &root;
  std::string path;
  for (std::string_view segment : text::split(key.path, '.')) {
    path += path.empty() ? "" : ".";
    path += segment;
    if (segment == "*") {
      node->collection = find_collection(path);
      node = made(node->any_name).get();
      continue;
    }
    const bool is_array = segment.ends_with("[]");
    if (is_array) segment.remove_suffix(2);
    node = made(node->children[std::string(segment)]).get();
    if (is_array) {
      node->is_array = true;
      node->collection = find_collection(path);
    }
  }
  node->key = &key;
}

void lend_policy_to_tenants(SchemaNode& root) {
  SchemaNode& tenant = *root.children.at("tenants")->any_name;
  tenant.is_tenant = true;
  tenant.children["policy"] = root.children.at("policy");
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
    lend_policy_to_tenants(root);
    return root;
  }();
  return tree;
}

}  // namespace sallyport::config
