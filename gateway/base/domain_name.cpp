#include "gateway/base/domain_name.h"

#include "gateway/base/text.h"

namespace sallyport {

namespace {

constexpr std::size_t max_name_octets = 253;
constexpr std::size_t max_label_octets = 63;

bool is_label(std::string_view label, bool underscores, bool utf8) {
  if (label.empty() || label.size() > max_label_octets) return false;
  // RFC 5321, 4.1.2 (sub-domain): a label neither begins nor ends with a hyphen.
  if (label.front() == '-' || label.back() == '-') return false;
  for (char c : label) {
    bool allowed = text::is_alnum(c) || c == '-' || (c == '_' && underscores) || (!text::is_ascii(c) && utf8);
    if (!allowed) return false;
  }
  return true;
}

}  // namespace

bool is_domain_name(std::string_view name, bool underscores, bool utf8) {
  if (name.empty() || name.size() > max_name_octets) return false;
  if (utf8 && !text::is_utf8(name)) return false;
  while (true) {
    std::size_t end = name.find('.');
    if (!is_label(name.substr(0, end), underscores, utf8)) return false;
    if (end == std::string_view::npos) return true;
    name.remove_prefix(end + 1);
  }
}

bool domain_matches(std::string_view name, std::string_view pattern) {
  if (!pattern.starts_with("*.")) return text::equals_ignoring_case(name, pattern);
  std::string_view suffix = pattern.substr(1);  // with its dot; otherwise "evilexample.org" would match "*.example.org"
  return name.size() > suffix.size() && text::ends_with_ignoring_case(name, suffix);
}

}  // namespace sallyport
