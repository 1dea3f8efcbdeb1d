#include "gateway/config/explain.h"

#include <algorithm>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/config/document.h"
#include "gateway/config/key_path.h"
#include "gateway/config/schema_tree.h"

namespace sallyport::config {
namespace {

// What a path typed by the user leads to.
struct Target {
  const SchemaNode* node = nullptr;
  std::string written;   // the path as in the settings table: "upstreams.*.tls", "tenants.*.policy.spf.mode"
  std::string instance;  // as typed: "upstreams.other.tls"
  std::string tenant;    // set for a policy's key under a tenant; "*" for all tenants
  bool is_whole = true;  // names one instance: no "*", and a number for each "[]"
};

std::string section_text(const std::string& path) { return path.empty() ? "" : " in " + path; }

// The keys whose last segment this is, for somebody who asks without their section: "; there is limits.hops".
std::string keys_that_end_so(std::string_view segment) {
  constexpr std::size_t most = 5;
  std::vector<std::string> paths;
  for (const Key& key : settings_table()) {
    if (paths.size() < most && key.path.ends_with("." + std::string(segment))) paths.push_back(key.path);
  }
  return paths.empty() ? std::string() : "; there is " + text::join(paths, ", ");
}

// Goes one segment further, which may be "listen[0]" or "listen[]".
Result<const SchemaNode*> step(const SchemaNode& at, const std::string& segment, Target& target) {
  const std::size_t bracket = segment.find('[');
  const std::string name = segment.substr(0, bracket);
  const std::string dot = target.written.empty() ? "" : ".";
  if (const auto child = at.children.find(name); child != at.children.end()) {
    const std::string index = bracket == std::string::npos ? "" : segment.substr(bracket);
    if (child->second->is_array && (index.empty() || index == "[]")) target.is_whole = false;
    if (at.is_tenant && child->second->key == nullptr)
      target.tenant = target.instance.substr(target.instance.find('.') + 1);
    target.written += dot + name + (child->second->is_array ? "[]" : "");
    target.instance += dot + name + (child->second->is_array ? index : "");
    return child->second.get();
  }
  if (at.any_name) {
    if (segment == "*") target.is_whole = false;
    target.written += dot + "*";
    target.instance += dot + (segment == "*" ? "*" : key_segment(segment));
    return at.any_name.get();
  }
  std::string message = "unknown key " + quote(segment) + section_text(target.written);
  const std::string meant(text::did_you_mean(segment, at.names()));
  if (!meant.empty()) {
    message += "; did you mean " + quote(meant) + "?";
  } else if (target.written.empty()) {
    message += keys_that_end_so(segment);
  }
  return Failure{std::move(message)};
}

Result<Target> find(std::string_view path) {
  const auto segments = split_path(path);
  if (!segments) return Failure{"a quote does not end in " + quote(path)};
  Target target;
  target.node = &schema_tree();
  for (const std::string& segment : *segments) {
    if (target.node->key != nullptr)
      return Failure{quote(target.written) + " is a single value and has no " + quote(segment) + " in it"};
    auto next = step(*target.node, segment, target);
    if (!next) return next.error();
    target.node = *next;
  }
  return target;
}

void line(std::string& out, std::string_view label, const std::string& text) {
  std::string start(label);
  start.resize(std::max<std::size_t>(start.size() + 1, 9), ' ');
  out += start + text + "\n";
}

// Describes the bounds; empty when there are none.
std::string range(const Key& key) {
  const settings::Bounds& bounds = key.bounds;
  if (bounds.least.empty() && bounds.most.empty()) return {};
  if (key.row->type->form == settings::Form::list) return "at least " + std::string(bounds.least) + " of them";
  return std::string(bounds.least) + " to " + std::string(bounds.most);
}

void value_line(std::string& out, const Effective& value) {
  line(out, "value", value.path + " = " + value.toml + "  (" + value.origin.to_string() + ")");
}

// True if the value belongs to the tenants that the path asks for.
bool is_among(const Effective& value, const Target& target) {
  if (target.tenant == "*") return !value.tenant.empty();
  return target.tenant.empty() || value.tenant == target.tenant;
}

// Adds the values that count for one tenant: its own, else the global one.
void tenant_values(std::string& out, const Key& key, const Target& target, const Loaded& loaded) {
  const auto list = values_of_tenant(loaded, split_path("x." + target.tenant)->back());
  if (!list) return;
  for (const Effective& value : *list) {
    if (value.key != &key || (target.is_whole && value.path != target.instance)) continue;
    Effective shown = value;
    const bool is_own = std::any_of(loaded.values.begin(), loaded.values.end(),
                                    [&](const Effective& other) { return other.path == value.path; });
    if (!is_own) shown.path = full_path(key.path, value.which);
    value_line(out, shown);
  }
}

void values(std::string& out, const Key& key, const Target& target, const Loaded& loaded) {
  if (!target.tenant.empty() && target.tenant != "*") {
    tenant_values(out, key, target, loaded);
    return;
  }
  // A short form shows the value of the key that it sets.
  const std::string_view meant = key.row->options.stands_for;
  const Key& shown = meant.empty() ? key : *find_key(meant);
  const std::string wanted = meant.empty() ? target.instance : full_path(meant, {Place(std::string("default"))});
  const bool is_whole = target.is_whole || !meant.empty();
  for (const Effective& value : loaded.values) {
    if (value.key != &shown || !is_among(value, target)) continue;
    // Includes the values with which tenants override the key.
    const bool is_it = tenant_prefix(value.tenant) + wanted == value.path;
    if (is_whole && !is_it) continue;
    value_line(out, value);
  }
}

std::string explain_key(const Key& key, const Target& target, const Loaded* loaded) {
  const settings::Row& row = *key.row;
  std::string out = key.path + "\n    " + std::string(row.doc) + "\n";
  line(out, "type", std::string(row.type->name) + ": " + row.type->expectation());
  if (!row.options.stands_for.empty())
    line(out, "short", "for " + full_path(row.options.stands_for, {Place(std::string("default"))}));
  else
    line(out, "default", key.by_default ? *key.by_default : "none: it must be given");
  if (!key.falls_back_to().key.empty())
    line(out, "", "before the default, the value of " + std::string(key.falls_back_to().key));
  if (const std::string text = range(key); !text.empty()) line(out, "range", text);
  line(out, "reload", std::string(name(row.options.reload)));
  if (key.is_policy()) line(out, "tenants", "may have their own: tenants.*." + key.path);
  if (loaded != nullptr) values(out, key, target, *loaded);
  return out;
}

// Lists the keys below a section, one line each. The recursion is as deep as the longest path of the settings table.
void list_keys(const SchemaNode& node, std::string& out) {
  if (node.key != nullptr) {
    out += node.key->path + "\n    " + std::string(node.key->row->doc) + "\n";
    return;
  }
  for (const auto& [name, child] : node.children) {
    if (node.is_tenant && child->key == nullptr)
      out += "tenants.*." + name + "\n    Every key of " + name + " may stand here, too, and counts for this tenant.\n";
    else
      list_keys(*child, out);
  }
  if (node.any_name) list_keys(*node.any_name, out);
}

}  // namespace

Result<std::string> explain(std::string_view path, const Loaded* loaded) {
  const auto target = find(path);
  if (!target) return target.error();
  if (target->node->key != nullptr) return explain_key(*target->node->key, *target, loaded);
  std::string out;
  if (target->node->collection != nullptr)
    out += target->node->collection->path + "\n    " + std::string(target->node->collection->doc) + "\n";
  list_keys(*target->node, out);
  return out;
}

const Key* key_of(std::string_view path) {
  const auto target = find(path);
  return target ? target->node->key : nullptr;
}

}  // namespace sallyport::config
