#include "gateway/config/explain.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "gateway/config/key_path.h"
#include "gateway/config/schema_tree.h"

namespace sallyport::config {
namespace {

constexpr std::size_t comment_column = 48;

// A line with a comment behind it, in a column where that is possible.
std::string commented(std::string line, const std::string& comment) {
  const std::size_t spaces = line.size() < comment_column ? comment_column - line.size() : 2;
  line.append(spaces, ' ');
  return line + "# " + comment + "\n";
}

// The table that holds a value, as its header is written: "[limits]", "[[listen]]", `[tls.sni."mx.example"]`.
std::string header(const Effective& value) {
  const std::size_t dot = value.key->path.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view table = value.key->path.substr(0, dot);
  if (table.ends_with("[]")) return "[[" + std::string(table.substr(0, table.size() - 2)) + "]]";
  return "[" + full_path(table, value.which) + "]";
}

std::string_view last_segment(const Key& key) { return key.path.substr(key.path.rfind('.') + 1); }

// Values of one table stand together, tables in the order of their first value.
struct Table {
  std::string header;
  std::size_t entry = 0;  // of an array of tables
  std::vector<const Effective*> values;
};

std::vector<Table> by_table(const Loaded& loaded) {
  std::vector<Table> tables;
  for (const Effective& value : loaded.values) {
    const std::string name = header(value);
    auto table = std::find_if(tables.begin(), tables.end(), [&](const Table& known) {
      return known.header == name && known.entry == value.which.index;
    });
    if (table == tables.end()) table = tables.insert(tables.end(), Table{name, value.which.index, {}});
    table->values.push_back(&value);
  }
  return tables;
}

// What a typed path leads to.
struct Target {
  const SchemaNode* node = nullptr;
  std::string table_path;  // "upstreams.*.tls"
  std::string instance;    // the full path when one instance was named, else empty
};

std::string section_text(const std::string& path) { return path.empty() ? "" : " in " + path; }

// Takes one segment, "listen[0]" or "listen[]" included, off the way.
Result<const SchemaNode*> step(const SchemaNode& at, const std::string& segment, Target& target) {
  const std::size_t bracket = segment.find('[');
  const std::string name = segment.substr(0, bracket);
  const std::string dot = target.table_path.empty() ? "" : ".";
  if (const auto child = at.children.find(name); child != at.children.end()) {
    const std::string index = bracket == std::string::npos ? "" : segment.substr(bracket);
    target.table_path += dot + name + (child->second.is_array ? "[]" : "");
    target.instance += dot + name + (child->second.is_array ? index : "");
    return &child->second;
  }
  if (at.any_name) {
    target.table_path += dot + "*";
    target.instance += dot + (segment == "*" ? "*" : key_segment(segment));
    return at.any_name.get();
  }
  std::string message = "unknown key " + quote(segment) + section_text(target.table_path);
  const std::string meant(text::did_you_mean(segment, at.names()));
  if (!meant.empty()) message += "; did you mean " + quote(meant) + "?";
  return Failure{std::move(message)};
}

Result<Target> find(std::string_view path) {
  const auto segments = split_path(path);
  if (!segments) return Failure{"a quote does not end in " + quote(path)};
  Target target;
  target.node = &schema_tree();
  for (const std::string& segment : *segments) {
    if (target.node->key != nullptr)
      return Failure{quote(target.table_path) + " is a single value and has no " + quote(segment) + " in it"};
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

// The bounds in words; empty when there are none.
std::string range(const Key& key) {
  const bool is_list = !is_written_as_text(key.type) && key.type != Type::integer && key.type != Type::number;
  if (key.least.empty() && key.most.empty()) return {};
  if (is_list) return "at least " + std::string(key.least) + " of them";
  return std::string(key.least) + " to " + std::string(key.most);
}

std::string explain_key(const Key& key, const Target& target, const Loaded* loaded) {
  std::string out = std::string(key.path) + "\n    " + std::string(key.doc) + "\n";
  line(out, "type", std::string(name(key.type)) + ": " + expectation(key.shape()));
  if (!key.stands_for.empty())
    line(out, "short", "for " + full_path(key.stands_for, {"default", 0}));
  else
    line(out, "default", key.by_default ? key.default_toml() : "none: it must be given");
  if (!key.falls_back_to.empty()) line(out, "", "before the default, the value of " + std::string(key.falls_back_to));
  if (const std::string text = range(key); !text.empty()) line(out, "range", text);
  line(out, "reload", std::string(name(key.reload)));
  if (loaded == nullptr) return out;
  const std::string searched = key.stands_for.empty() ? std::string(key.path) : std::string(key.stands_for);
  const std::string wanted = key.stands_for.empty() ? target.instance : full_path(key.stands_for, {"default", 0});
  const bool one_instance = wanted.find('*') == std::string::npos && wanted.find("[]") == std::string::npos;
  for (const Effective& value : loaded->values) {
    if (value.key->path != searched) continue;
    const bool unnamed = value.path.find('[') != std::string::npos && target.instance.find('[') == std::string::npos;
    if (one_instance && !unnamed && value.path != wanted) continue;
    line(out, "value", value.path + " = " + value.toml + "  (" + value.origin.to_string() + ")");
  }
  return out;
}

// The keys below a section, one line each. The tree is as deep as the table's longest path.
void list_keys(const SchemaNode& node, std::string& out) {
  if (node.key != nullptr) {
    out += std::string(node.key->path) + "\n    " + std::string(node.key->doc) + "\n";
    return;
  }
  for (const auto& [name, child] : node.children) list_keys(child, out);
  if (node.any_name) list_keys(*node.any_name, out);
}

}  // namespace

std::string show(const Loaded& loaded) {
  std::string out;
  for (const Table& table : by_table(loaded)) {
    if (!table.header.empty()) out += "\n" + table.header + "\n";
    for (const Effective* value : table.values)
      out += commented(std::string(last_segment(*value->key)) + " = " + value->toml, value->origin.to_string());
  }
  return out;
}

Result<std::string> explain(std::string_view path, const Loaded* loaded) {
  const auto target = find(path);
  if (!target) return target.error();
  if (target->node->key != nullptr) return explain_key(*target->node->key, *target, loaded);
  std::string out;
  if (target->node->collection != nullptr)
    out += std::string(target->node->collection->path) + "\n    " + std::string(target->node->collection->doc) + "\n";
  list_keys(*target->node, out);
  return out;
}

}  // namespace sallyport::config
