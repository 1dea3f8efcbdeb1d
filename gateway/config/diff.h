// Compares two configurations by their effective values: used by `config diff` and by the answer to a reload.
//
// The values of the running configuration come from another process over the control socket, perhaps of another
// version. So they are exchanged as text, and keys that this version does not know are compared like all others.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/config/load.h"

namespace sallyport::config {

// The values as TOML, by full path. Of tenants, only what they override.
using EffectiveValues = std::map<std::string, std::string, std::less<>>;

EffectiveValues effective_values(const Loaded& loaded);

// One line for each value: path, tab, value. Neither contains a tab or a newline.
std::string to_text(const EffectiveValues& values);
// Reads what to_text() has written; an error when the text has another form.
Result<EffectiveValues> read_effective_values(std::string_view text);

struct Change {
  std::string path;
  // The values as TOML; nothing where that side does not have the key. When only one side overrides a policy's key for
  // a tenant, the other side shows the global value.
  std::optional<std::string> running;
  std::optional<std::string> disk;
  std::optional<Reload> reload;  // when a change takes effect; nothing: this version does not know the key
};

// The keys whose effective values differ, sorted by path.
std::vector<Change> changes(const EffectiveValues& running, const EffectiveValues& disk);

// For people, one line each: `limits.hops: 100 -> 50 (new connections)`. Empty when there is no difference.
std::string to_text(const std::vector<Change>& changes);
// For programs: [{"path": ..., "running": ..., "disk": ..., "reload": ...}]; null for a value that does not exist.
std::string to_json(const std::vector<Change>& changes);

// The paths of the changes that take effect only with a restart.
std::vector<std::string> needing_restart(const std::vector<Change>& changes);

}  // namespace sallyport::config
