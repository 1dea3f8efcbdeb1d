#include "gateway/config/settings_table.h"

#include <algorithm>
#include <map>

#include "gateway/base/ensure.h"
#include "gateway/config/gateway_sections.h"

namespace sallyport::config {
namespace {

std::string below(std::string_view section, std::string_view key) {
  if (section.empty() || key.empty()) return std::string(section) + std::string(key);
  return std::string(section) + "." + std::string(key);
}

std::size_t count_places(std::string_view path) {
  return static_cast<std::size_t>(std::count_if(path.begin(), path.end(), [](char c) { return c == '*' || c == '['; }));
}

class Table {
 public:
  Table() {
    for (const GatewaySection& section : sections_before_policy()) add(*section.section, &section);
    for (const settings::Section* section : policies::policy_sections()) add(*section, nullptr);
    for (const GatewaySection& section : sections_after_policy()) add(*section.section, &section);
    for (std::size_t i = 0; i < keys.size(); ++i) by_path.emplace(keys[i].path, i);
  }

  const Key* find(std::string_view path) const {
    const auto found = by_path.find(path);
    return found == by_path.end() ? nullptr : &keys[found->second];
  }

  std::vector<Key> keys;
  std::vector<Collection> places;
  std::map<std::string_view, std::size_t> by_path;  // of `keys`

 private:
  void add(const settings::Section& section, const GatewaySection* gateway) {
    const std::shared_ptr<void> fresh = section.make();
    for (const settings::Row& row : section.rows) {
      Key key{below(section.path, row.key), &section, &row, gateway, {}, {}, keys.size(), 0};
      key.places = count_places(key.path);
      key.by_default = default_of(row, fresh.get());
      const bool empty_text = key.by_default == "\"\"";
      key.bounds = {row.options.least, row.options.most, empty_text};
      keys.push_back(std::move(key));
    }
    for (const settings::Collection& collection : section.collections)
      places.push_back({below(section.path, collection.key), collection.names, collection.doc});
  }

  // The default in the struct; when it has none, that of the key it falls back to, which is already in the table.
  std::optional<std::string> default_of(const settings::Row& row, void* fresh) const {
    if (row.options.required || !row.has_member()) return std::nullopt;
    std::string text = row.type->to_toml(row.member(fresh, Places(count_places(row.key), Place(0))));
    if (!text.empty()) return text;
    for (const Key& key : keys)
      if (key.path == row.options.falls_back_to.key) return key.by_default;
    broken("configuration: a key without a default that falls back to none before it");
  }
};

const Table& table() {
  static const Table built;
  return built;
}

}  // namespace

const std::vector<Key>& settings_table() { return table().keys; }

const Key* find_key(std::string_view path) { return table().find(path); }

const std::vector<Collection>& collections() { return table().places; }

void* Key::member(Settings& settings, std::span<const Place> which) const {
  if (is_policy()) return member(settings.policy, which);
  const std::size_t here = count_places(section->path);
  return row->member(gateway->locate(settings, which.first(here)), which.subspan(here));
}

void* Key::member(settings::Set& policy, std::span<const Place> which) const {
  return row->member(policy.edit(*section), which);
}

bool Key::read(const settings::Node& node, const std::string& directory, void* member,
               settings::ConfigErrors& errors) const {
  return row->type->read(node, {*row->type, bounds, directory, errors}, member);
}

std::string_view name(Reload reload) {
  switch (reload) {
    case Reload::live:
      return "live";
    case Reload::new_connections:
      return "new connections";
    case Reload::restart:
      return "restart";
  }
  broken("Reload: not one of its values");
}

}  // namespace sallyport::config
