// Prints the configuration for people and programs: `config show`, `config explain`, `config schema`, `check --json`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/config/load.h"

namespace sallyport::config {

// Gives every effective value as TOML, with its origin in a comment; of tenants, what they override. Loading the result
// gives the same configuration with the same hash.
std::string show(const Loaded& loaded);
// The same as JSON: {"limits.hops": {"value": 100, "origin": "default"}, ...}.
std::string show_json(const Loaded& loaded);

// The values that count for one tenant: its own keys, and every policy key under the tenant's path, whether overridden
// or not. The error: there is no such tenant, with did-you-mean.
Result<std::vector<Effective>> values_of_tenant(const Loaded& loaded, std::string_view tenant);
// The same values, written as show() and show_json() write them.
Result<std::string> show_tenant(const Loaded& loaded, std::string_view tenant);
Result<std::string> show_tenant_json(const Loaded& loaded, std::string_view tenant);

// Describes one key, or all keys of a section: meaning, type, default, range, and the values that count now. `path` may
// name an instance (upstreams.default.tls, tenants.acme.policy.spf.on_fail), all instances (upstreams.*.tls) or a
// section (limits). When `loaded` is null, no current values are shown. An unknown key is an error, with did-you-mean.
Result<std::string> explain(std::string_view path, const Loaded* loaded);

// Finds the key that a full path such as "tenants.acme.policy.spf.on_fail" names; null when there is none.
const Key* key_of(std::string_view path);

// How much a configuration has of what an administrator counts.
struct Contents {
  std::size_t listeners = 0;
  std::size_t upstreams = 0;
  std::size_t lists = 0;  // DNS lists
  std::size_t rules = 0;
};

// The result of `check` as JSON: {"file": ..., "ok": ..., "errors": [{"file", "line", "column", "message"}],
// "warnings": [], "listeners": 1, "upstreams": 1, "lists": 0, "rules": 0}.
std::string report_json(const std::string& file, const ConfigErrors& errors, const ConfigErrors& warnings,
                        const Contents& contents);

// The JSON Schema of the configuration, draft 2020-12.
std::string json_schema();

}  // namespace sallyport::config
