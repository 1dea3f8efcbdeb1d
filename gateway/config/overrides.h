// Applies the keys under [tenants.T.policy...]: makes the tenant's own settings of the policies that it overrides, and
// the effective values that differ for it. The order of precedence is in load.h.
//
// The work grows with what tenants give, not with the number of keys times the number of tenants.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/collect.h"
#include "gateway/config/value_list.h"

namespace sallyport::config {

class Overrides {
 public:
  // `said` and `values` must outlive this object; `values` already has the global values.
  Overrides(const Collected& said, ValueList& values);

  // Changes `policy`, the tenant's copy of the global settings, and adds the tenant's values to the ValueList. Missing
  // or unfitting keys are added to `errors`.
  void apply(const std::string& tenant, settings::Set& policy, ConfigErrors& errors);

 private:
  // A key that has its own value for the tenant. `given` is null when that is the default, for a name that only the
  // tenant has.
  struct Wanted {
    const Key* key;
    Places which;
    const Given* given;
    std::string path;  // with the tenant's prefix
  };

  std::vector<Wanted> wanted_by(const std::string& tenant, ConfigErrors& errors) const;
  // Adds the keys that take the tenant's value of `given` as their fallback.
  void add_dependents(const Given& given, std::vector<Wanted>& wanted) const;
  // Adds all keys of the names that only the tenant has.
  void add_own_names(const std::string& tenant, std::vector<Wanted>& wanted, ConfigErrors& errors) const;
  // Lists the instances of a key with "*" that exist for the tenant; with an empty tenant, the global ones.
  std::vector<Places> instances(const Key& key, const std::string& tenant) const;
  bool is_for_all(const Key& key, const Places& which) const;
  bool is_said(const std::string& tenant, const Key& key, const Places& which) const;
  void store(const std::string& tenant, const Wanted& wanted, settings::Set& policy, ConfigErrors& errors);

  const Collected& said_;
  ValueList& values_;
  std::map<std::string, std::vector<const Given*>, std::less<>> by_tenant_;
  std::map<std::string_view, std::vector<const Key*>> falling_back_to_;  // by the key they fall back to
  std::vector<const Key*> keys_with_names_;                              // policies' keys whose path has a "*"
};

}  // namespace sallyport::config
