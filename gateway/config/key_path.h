// The names of keys as people write them: segments joined by dots, in quotes where TOML wants them
// (zones."a.example".score).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/settings_table.h"

namespace sallyport::config {

// One segment: bare, or in quotes.
std::string key_segment(std::string_view name);

// "limits.hops", "listen[0].address", `tls.sni."mx.example".cert`.
std::string full_path(std::string_view table_path, const Instance& which);

// The part of a path that names its collection, "upstreams.*" of "upstreams.*.servers"; empty when it has none.
std::string_view collection_of(std::string_view table_path);

// The segments of a path that somebody typed; nothing when a quote does not end. "listen[0]" and "listen[]" are kept as
// they are.
std::optional<std::vector<std::string>> split_path(std::string_view path);

}  // namespace sallyport::config
