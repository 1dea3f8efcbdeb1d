// The configuration told to people and programs: `config show`, `config explain`, `config schema`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/config/load.h"

namespace sallyport::config {

// Every effective value as TOML with its origin behind it. Read again, it is the same configuration (the same hash).
std::string show(const Loaded& loaded);

// The same for programs: {"limits.hops": {"value": 100, "origin": "default"}, ...}.
std::string show_json(const Loaded& loaded);

// One key, or all keys of a section: what it means, its type, default, range, and what counts now. `path` may name an
// instance (upstreams.default.tls), all of them (upstreams.*.tls) or a section (limits). `loaded` may be null: then
// nothing is said about current values. An unknown key is an error, with did-you-mean.
Result<std::string> explain(std::string_view path, const Loaded* loaded);

// What `check` found, for programs: {"file": ..., "ok": ..., "errors": [{"file", "line", "column", "message"}],
// "warnings": []}.
std::string report_json(const std::string& file, const ConfigErrors& errors, const ConfigErrors& warnings);

// JSON Schema, draft 2020-12.
std::string json_schema();

}  // namespace sallyport::config
