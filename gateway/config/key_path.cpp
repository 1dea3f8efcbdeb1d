#include "gateway/config/key_path.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::config {

std::string key_segment(std::string_view name) {
  const auto bare = [](char c) { return text::is_alnum(c) || c == '_' || c == '-'; };
  if (!name.empty() && std::all_of(name.begin(), name.end(), bare)) return std::string(name);
  return quote(name);
}

std::string full_path(std::string_view table_path, const Instance& which) {
  std::string path;
  for (const char c : table_path) {
    if (c == '*')
      path += key_segment(which.name);
    else if (c == ']')
      path += std::to_string(which.index) + "]";
    else
      path += c;
  }
  return path;
}

std::string_view collection_of(std::string_view table_path) {
  const std::size_t end = table_path.find_first_of("*]");
  return end == std::string_view::npos ? std::string_view() : table_path.substr(0, end + 1);
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
