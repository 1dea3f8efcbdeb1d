#include "gateway/config/diff.h"

#include <set>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/config/explain.h"
#include "gateway/config/key_path.h"

namespace sallyport::config {
namespace {

// The global path of a tenant's policy key; empty when `path` is not such a key.
std::string_view path_for_all(std::string_view path) {
  if (!path.starts_with("tenants.")) return {};
  const auto segments = split_path(path);
  if (!segments || segments->size() < 4 || (*segments)[2] != "policy") return {};
  return path.substr(tenant_prefix((*segments)[1]).size());
}

// True if the configuration has the tenant that `path` names.
bool has_tenant(const EffectiveValues& values, std::string_view path, std::string_view for_all) {
  return values.contains(std::string(path.substr(0, path.size() - for_all.size())) + "domains");
}

std::optional<std::string> value_at(const EffectiveValues& values, std::string_view path) {
  if (const auto found = values.find(path); found != values.end()) return found->second;
  const std::string_view for_all = path_for_all(path);
  if (for_all.empty() || !has_tenant(values, path, for_all)) return std::nullopt;
  const auto found = values.find(for_all);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

EffectiveValues effective_values(const Loaded& loaded) {
  EffectiveValues values;
  for (const Effective& value : loaded.values) values.emplace(value.path, value.toml);
  return values;
}

std::string to_text(const EffectiveValues& values) {
  std::string text;
  for (const auto& [path, toml] : values) text += path + "\t" + toml + "\n";
  return text;
}

Result<EffectiveValues> read_effective_values(std::string_view text) {
  EffectiveValues values;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t tab = line.find('\t');
    if (end == std::string_view::npos || tab == std::string_view::npos)
      return Failure{"the running configuration's values cannot be read"};
    values.emplace(line.substr(0, tab), line.substr(tab + 1));
    text.remove_prefix(end + 1);
  }
  return values;
}

std::vector<Change> changes(const EffectiveValues& running, const EffectiveValues& disk) {
  std::set<std::string_view> paths;
  for (const auto& [path, toml] : running) paths.insert(path);
  for (const auto& [path, toml] : disk) paths.insert(path);
  std::vector<Change> list;
  for (const std::string_view path : paths) {
    std::optional<std::string> before = value_at(running, path);
    std::optional<std::string> after = value_at(disk, path);
    if (before == after) continue;
    const Key* key = key_of(path);
    list.push_back({std::string(path), std::move(before), std::move(after),
                    key == nullptr ? std::nullopt : std::optional(key->row->options.reload)});
  }
  return list;
}

std::string to_text(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    text += change.path + ": " + change.running.value_or("not there") + " -> " + change.disk.value_or("not there");
    text += " (" + std::string(change.reload ? name(*change.reload) : "unknown to this version") + ")\n";
  }
  return text;
}

std::vector<std::string> needing_restart(const std::vector<Change>& changes) {
  std::vector<std::string> paths;
  for (const Change& change : changes)
    if (change.reload == Reload::restart) paths.push_back(change.path);
  return paths;
}

}  // namespace sallyport::config
