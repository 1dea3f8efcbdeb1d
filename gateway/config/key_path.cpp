#include "gateway/config/key_path.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "gateway/settings/node.h"

namespace sallyport::config {

std::string key_segment(std::string_view name) {
  const auto bare = [](char c) { return text::is_alnum(c) || c == '_' || c == '-'; };
  if (!name.empty() && std::all_of(name.begin(), name.end(), bare)) return std::string(name);
  return settings::quote(name);
}

std::string full_path(std::string_view table_path, std::span<const settings::Place> which) {
  std::string path;
  for (const char c : table_path) {
    const bool is_place = c == '*' || c == ']';
    if (!is_place) {
      path += c;
    } else if (which.empty()) {
      return path + c;
    } else {
      path += c == '*' ? key_segment(which.front().name) : std::to_string(which.front().index) + "]";
      which = which.subspan(1);
    }
  }
  return path;
}

std::string tenant_prefix(std::string_view tenant) {
  return tenant.empty() ? std::string() : "tenants." + key_segment(tenant) + ".";
}

std::optional<std::vector<std::string>> split_path(std::string_view path) {
  std::vector<std::string> segments(1);
  char open_quote = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (open_quote != 0) {
      if (c == open_quote)
        open_quote = 0;
      else if (c == '\\' && open_quote == '"' && i + 1 < path.size())
        segments.back() += path[++i];
      else
        segments.back() += c;
    } else if (c == '"' || c == '\'') {
      open_quote = c;
    } else if (c == '.') {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  if (open_quote != 0) return std::nullopt;
  return segments;
}

}  // namespace sallyport::config
