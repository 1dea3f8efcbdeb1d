// Paths of keys as written in files: segments joined by dots, quoted where TOML needs it (zones."a.example".score).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/settings/row.h"

namespace sallyport::config {

// Writes one segment, quoted when necessary.
std::string key_segment(std::string_view name);

// Writes a full path such as "limits.hops", "listen[0].address" or `tls.sni."mx.example".cert`: the path of the
// settings table with one place put in for each "*" and "[]". When there are fewer places, the path ends after the
// first "*" or "[]" that has none: "tls.sni.*".
std::string full_path(std::string_view table_path, std::span<const settings::Place> which);
inline std::string full_path(std::string_view table_path, std::initializer_list<settings::Place> which) {
  return full_path(table_path, std::span(which.begin(), which.size()));
}

// The prefix of a policy's key under a tenant, "tenants.acme."; empty for no tenant.
std::string tenant_prefix(std::string_view tenant);

// Splits a path typed by the user; nothing when a quote is not closed. "listen[0]" and "listen[]" stay one segment.
std::optional<std::vector<std::string>> split_path(std::string_view path);

}  // namespace sallyport::config
