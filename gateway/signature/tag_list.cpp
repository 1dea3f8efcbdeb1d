#include "gateway/signature/tag_list.h"

#include <algorithm>

#include "gateway/base/text.h"

namespace sallyport::signature {

namespace {

bool is_folding(char c) { return text::is_space(c) || c == '\r' || c == '\n'; }

// ALPHA *ALNUMPUNC.
bool is_tag_name(std::string_view name) {
  if (name.empty() || !text::is_alpha(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return text::is_alnum(c) || c == '_'; });
}

// Only CRLF followed by white space is folding; no other control is allowed in a tag list.
bool has_only_text_and_folding(std::string_view text) {
  const auto is_no_text = [](char c) { return text::is_control(c) && c != '\t'; };
  for (std::string_view rest = text; true;) {
    const auto control = std::find_if(rest.begin(), rest.end(), is_no_text);
    if (control == rest.end()) break;
    rest.remove_prefix(static_cast<std::size_t>(control - rest.begin()));
    const bool folds = rest.size() > 2 && rest.starts_with("\r\n") && text::is_space(rest[2]);
    if (!folds) return false;
    rest.remove_prefix(3);
  }
  return text::is_ascii(text) || text::is_utf8(text);
}

}  // namespace

std::string_view trim_folding(std::string_view text) {
  while (!text.empty() && is_folding(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_folding(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split_colons(std::string_view list) {
  std::vector<std::string_view> parts = text::split(list, ':');
  for (std::string_view& part : parts) part = trim_folding(part);
  return parts;
}

std::optional<TagList> TagList::parse(std::string_view text) {
  if (!has_only_text_and_folding(text)) return std::nullopt;
  TagList list;
  list.tags_.reserve(12);
  while (true) {
    const std::size_t end = text.find(';');
    const std::string_view spec = text.substr(0, end);
    const std::size_t equals = spec.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = trim_folding(spec.substr(0, equals));
    if (!is_tag_name(name) || list.find(name) || list.tags_.size() == max_tags) return std::nullopt;
    const std::string_view raw = spec.substr(equals + 1);
    list.tags_.push_back({name, trim_folding(raw), raw});
    if (end == std::string_view::npos) return list;
    text.remove_prefix(end + 1);
    // One ";" may end the list.
    if (trim_folding(text).empty()) return list;
  }
}

const Tag* TagList::find(std::string_view name) const {
  const auto found = std::find_if(tags_.begin(), tags_.end(), [name](const Tag& tag) { return tag.name == name; });
  return found == tags_.end() ? nullptr : &*found;
}

std::optional<std::string_view> TagList::value(std::string_view name) const {
  const Tag* tag = find(name);
  if (!tag) return std::nullopt;
  return tag->value;
}

}  // namespace sallyport::signature
