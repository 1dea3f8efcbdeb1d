// Loads a configuration: files in, Settings out, or all errors at once.
//
// The value that counts for a policy's key K, most specific first:
//   1. tenants.T.K, for the mail of tenant T;
//   2. K;
//   3. the default of K.
// A key K may name another key F as its fallback; then F's value comes before K's own default, and a tenant's F before
// the global F. A tenant's F and the global K can be ordered in two ways, and each row says which it uses
// (settings::Fallback):
//   policy.X.mode       tenants.T.policy.X.mode, tenants.T.policy.mode, policy.X.mode, policy.mode, X's own default:
//                       a tenant that switches checks off with one line means all of them;
//   zones.*.score       tenants.T...zones.Z.score, policy...zones.Z.score, tenants.T...dnsbl.score, policy.dnsbl.score:
//                       a tenant's score for lists without a score does not apply to a list that has one, such as a
//                       list of good clients with its negative score.
// Names in a tenant's tables (zones) are added to the global ones. For a name that both have, each key that the tenant
// gives replaces the global one, and the others keep the global values. A name that only the tenant has starts with the
// defaults.
//
// Blocks on the file system, so a running gateway calls it off the loops.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/config/config_error.h"
#include "gateway/config/files.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/config/settings_table.h"

namespace sallyport::config {

// One effective value, given or by default.
struct Effective {
  const Key* key = nullptr;
  std::string tenant;  // the tenant that overrides it; empty: the global value
  Places which;
  std::string path;  // "listen[0].address", "tenants.acme.policy.spf.on_fail"
  std::string toml;  // the value as TOML
  Origin origin;
};

struct Loaded {
  std::shared_ptr<const Settings> settings;
  std::string hash;  // of the effective values: 16 hexadecimal digits, equal for equal configurations
  // The global values in the order of the settings table; then, tenant by tenant, only what the tenant overrides.
  std::vector<Effective> values;

  // The origin of the value at a full path. For a key that the tenant does not override, the origin of the global
  // value. For an unknown path, the origin of a default.
  Origin origin_of(std::string_view path) const;
};

// Everything that could be read, and everything that is wrong. Errors are in the order of files and lines. A field
// whose value is wrong has its default.
struct Outcome {
  Loaded loaded;
  ConfigErrors errors;
  ConfigErrors warnings;  // no reason not to serve: a pattern of `include` that matches no file
};

Outcome read_configuration(const std::string& file, const Files& files);

// Gives a configuration without any error, or the errors, of which there is at least one.
Result<Loaded, ConfigErrors> load(const std::string& file, const Files& files);

}  // namespace sallyport::config
