#include "gateway/config/overrides.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/config/key_path.h"

namespace sallyport::config {
namespace {

std::string path_of(const std::string& tenant, const Key& key, const Places& which) {
  return tenant_prefix(tenant) + full_path(key.path, which);
}

}  // namespace

Overrides::Overrides(const Collected& said, ValueList& values) : said_(said), values_(values) {
  for (const auto& [path, given] : said.values)
    if (!given.tenant.empty()) by_tenant_[given.tenant].push_back(&given);
  for (const Key& key : settings_table()) {
    if (!key.is_policy()) continue;
    // Entries of an array have no names that could tell a tenant's entries from the global ones.
    ensure(key.path.find('[') == std::string::npos, "configuration: an array of tables cannot stand under a tenant");
    if (!key.falls_back_to().key.empty()) falling_back_to_[key.falls_back_to().key].push_back(&key);
    if (key.places > 0) keys_with_names_.push_back(&key);
  }
}

void Overrides::apply(const std::string& tenant, settings::Set& policy, ConfigErrors& errors) {
  std::vector<Wanted> wanted = wanted_by(tenant, errors);
  std::sort(wanted.begin(), wanted.end(), [](const Wanted& a, const Wanted& b) {
    return std::tie(a.key->order, a.path) < std::tie(b.key->order, b.path);
  });
  for (const Wanted& one : wanted) store(tenant, one, policy, errors);
}

std::vector<Overrides::Wanted> Overrides::wanted_by(const std::string& tenant, ConfigErrors& errors) const {
  std::vector<Wanted> wanted;
  if (const auto given = by_tenant_.find(tenant); given != by_tenant_.end()) {
    for (const Given* one : given->second) {
      if (one->key->is_effective())
        wanted.push_back({one->key, one->which, one, path_of(tenant, *one->key, one->which)});
      add_dependents(*one, wanted);
    }
  }
  add_own_names(tenant, wanted, errors);
  return wanted;
}

void Overrides::add_dependents(const Given& given, std::vector<Wanted>& wanted) const {
  const auto dependents = falling_back_to_.find(given.key->path);
  if (dependents == falling_back_to_.end()) return;
  for (const Key* key : dependents->second) {
    for (Places& which : instances(*key, given.tenant)) {
      if (is_said(given.tenant, *key, which)) continue;
      if (!key->falls_back_to().tenant_first && is_said({}, *key, which)) continue;
      std::string path = path_of(given.tenant, *key, which);
      wanted.push_back({key, std::move(which), &given, std::move(path)});
    }
  }
}

void Overrides::add_own_names(const std::string& tenant, std::vector<Wanted>& wanted, ConfigErrors& errors) const {
  const std::string prefix = tenant_prefix(tenant) + "policy.";
  const auto first = said_.instances.lower_bound(prefix);
  if (first == said_.instances.end() || !first->first.starts_with(prefix)) return;
  for (const Key* key : keys_with_names_) {
    for (Places& which : instances(*key, tenant)) {
      if (is_for_all(*key, which) || is_said(tenant, *key, which)) continue;
      std::string path = path_of(tenant, *key, which);
      if (std::any_of(wanted.begin(), wanted.end(), [&](const Wanted& other) { return other.path == path; })) continue;
      if (key->row->options.required) {
        if (!said_.incomplete)
          errors.push_back(
              {first->second.front().at, path + " is required: expected " + key->row->type->expectation()});
        continue;
      }
      const auto general = said_.values.find(key->falls_back_to().key);
      const Given* given = general == said_.values.end() ? nullptr : &general->second;
      wanted.push_back({key, std::move(which), given, std::move(path)});
    }
  }
}

std::vector<Places> Overrides::instances(const Key& key, const std::string& tenant) const {
  std::vector<Places> found{{}};
  for (std::size_t i = 0; i < key.places; ++i) {
    std::vector<Places> longer;
    for (const Places& which : found) {
      const std::string collection = full_path(key.path, which);
      const std::size_t own = longer.size();
      const auto add = [&](const std::string& path) {
        const auto list = said_.instances.find(path);
        if (list == said_.instances.end()) return;
        for (const InstanceAt& instance : list->second) {
          Places next = which;
          next.push_back(instance.place);
          if (std::find(longer.begin() + static_cast<std::ptrdiff_t>(own), longer.end(), next) == longer.end())
            longer.push_back(std::move(next));
        }
      };
      add(collection);
      if (!tenant.empty()) add(tenant_prefix(tenant) + collection);
    }
    found = std::move(longer);
  }
  return found;
}

bool Overrides::is_for_all(const Key& key, const Places& which) const {
  for (std::size_t i = 0; i < which.size(); ++i)
    if (!said_.has_instance(full_path(key.path, std::span(which).first(i)), which[i])) return false;
  return true;
}

bool Overrides::is_said(const std::string& tenant, const Key& key, const Places& which) const {
  return said_.places.contains(path_of(tenant, key, which));
}

void Overrides::store(const std::string& tenant, const Wanted& wanted, settings::Set& policy, ConfigErrors& errors) {
  const Key& key = *wanted.key;
  void* member = key.member(policy, wanted.which);
  Origin origin;
  if (wanted.given != nullptr) {
    ensure(key.read(wanted.given->value, wanted.given->directory, member, errors),
           "configuration: a value that the key refuses which falls back to it");
    origin = wanted.given->at;
  }
  std::string toml = key.row->type->to_toml(member);
  if (toml.empty()) {
    const Effective* general = values_.find(key.falls_back_to().key);
    ensure(general != nullptr, "configuration: no value to fall back to");
    toml = general->toml;
  }
  values_.add({&key, tenant, wanted.which, wanted.path, std::move(toml), std::move(origin)});
}

}  // namespace sallyport::config
