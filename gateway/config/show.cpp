// Writes effective values as TOML (explain.h).
#include <algorithm>
#include <map>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/config/document.h"
#include "gateway/config/explain.h"
#include "gateway/config/key_path.h"

namespace sallyport::config {
namespace {

constexpr std::size_t comment_column = 48;

// Appends a comment to a line, in a fixed column where the line is short enough.
std::string commented(std::string line, const std::string& comment) {
  const std::size_t spaces = line.size() < comment_column ? comment_column - line.size() : 2;
  line.append(spaces, ' ');
  return line + "# " + comment + "\n";
}

// The header of the table that holds a value: "[limits]", "[[listen]]", `[tls.sni."mx.example"]`.
std::string header(const Effective& value) {
  const std::size_t dot = value.key->path.rfind('.');
  if (dot == std::string::npos) return {};
  const std::string_view table = std::string_view(value.key->path).substr(0, dot);
  if (table.ends_with("[]")) return "[[" + std::string(table.substr(0, table.size() - 2)) + "]]";
  return "[" + tenant_prefix(value.tenant) + full_path(table, value.which) + "]";
}

std::string_view last_segment(const Key& key) {
  return std::string_view(key.path).substr(key.path.rfind('.') + 1);  // npos + 1 is 0
}

// Values of one table are written together; tables come in the order of their first value.
struct Table {
  std::string header;
  std::vector<const Effective*> values;
};

std::vector<Table> by_table(const std::vector<Effective>& values) {
  std::vector<Table> tables;
  std::map<std::pair<std::string, std::size_t>, std::size_t> places;  // by header and array index
  for (const Effective& value : values) {
    std::string name = header(value);
    const std::size_t entry = value.which.empty() ? 0 : value.which.front().index;
    const auto [place, first] = places.emplace(std::pair(name, entry), tables.size());
    if (first) tables.push_back({std::move(name), {}});
    tables[place->second].values.push_back(&value);
  }
  return tables;
}

std::string as_toml(const std::vector<Effective>& values) {
  std::string out;
  for (const Table& table : by_table(values)) {
    if (!table.header.empty()) out += "\n" + table.header + "\n";
    for (const Effective* value : table.values)
      out += commented(std::string(last_segment(*value->key)) + " = " + value->toml, value->origin.to_string());
  }
  return out;
}

Failure no_such_tenant(const Loaded& loaded, std::string_view tenant) {
  std::vector<std::string> names;
  for (const auto& [name, settings] : loaded.settings->tenants) names.push_back(name);
  std::string message = "there is no tenant named " + quote(tenant);
  const std::string_view meant = text::did_you_mean(tenant, names);
  if (!meant.empty()) message += "; did you mean " + quote(meant) + "?";
  return Failure{std::move(message)};
}

}  // namespace

std::string show(const Loaded& loaded) { return as_toml(loaded.values); }

Result<std::vector<Effective>> values_of_tenant(const Loaded& loaded, std::string_view tenant) {
  const std::string name(tenant);
  if (!loaded.settings->tenants.contains(name)) return no_such_tenant(loaded, tenant);
  std::map<std::string_view, const Effective*> own;
  for (const Effective& value : loaded.values)
    if (value.tenant == name) own.emplace(value.path, &value);

  std::vector<Effective> list;
  for (const Effective& value : loaded.values) {
    if (value.tenant.empty() && !value.key->is_policy()) {
      const bool is_its = value.key->path.starts_with("tenants.*.") && value.which.front().name == name;
      if (is_its) list.push_back(value);
    } else if (value.tenant.empty()) {
      Effective here = value;
      here.tenant = name;
      here.path = tenant_prefix(name) + value.path;
      const auto override = own.find(here.path);
      if (override == own.end()) {
        list.push_back(std::move(here));
      } else {
        list.push_back(*override->second);
        own.erase(override);
      }
    } else if (value.tenant == name && own.contains(value.path)) {
      list.push_back(value);  // belongs to a name that only this tenant has
    }
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Effective& a, const Effective& b) { return a.key->order < b.key->order; });
  return list;
}

Result<std::string> show_tenant(const Loaded& loaded, std::string_view tenant) {
  const auto values = values_of_tenant(loaded, tenant);
  if (!values) return values.error();
  return as_toml(*values);
}

}  // namespace sallyport::config
