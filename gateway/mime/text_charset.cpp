#include "gateway/mime/text_charset.h"

#include <algorithm>

#include "gateway/base/charset.h"
#include "gateway/base/text.h"

namespace sallyport::mime {

namespace {

struct Mark {
  std::string_view octets;
  std::string_view charset;
};
constexpr Mark marks[] = {{"\xef\xbb\xbf", "utf-8"}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"}};

}  // namespace

std::string_view marked_charset(std::string_view octets, std::size_t& mark) {
  mark = 0;
  for (const Mark& one : marks) {
    if (!octets.starts_with(one.octets)) continue;
    mark = one.octets.size();
    return one.charset;
  }
  return {};
}

std::string_view evident_charset(std::string_view octets) {
  const std::string_view head = octets.substr(0, 64);
  std::size_t even = 0;
  std::size_t odd = 0;
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == 0) ++(i % 2 == 0 ? even : odd);
  }
  if (head.size() < 4 || even + odd < head.size() / 3) return {};
  return odd > even ? "utf-16le" : "utf-16be";
}

std::string_view meta_charset(std::string_view html) {
  constexpr std::string_view key = "charset";
  constexpr std::string_view tag = "<meta";
  html = html.substr(0, 1024);
  const auto is_at = [html](std::size_t at, std::string_view what) {
    return text::starts_with_ignoring_case(html.substr(at), what);
  };
  std::size_t at = html.find('=');
  while (at != std::string_view::npos && (at < key.size() || !is_at(at - key.size(), key))) at = html.find('=', at + 1);
  if (at == std::string_view::npos) return {};
  std::size_t begin = html.find('<');
  while (begin < at && !is_at(begin, tag)) begin = html.find('<', begin + 1);
  if (begin > at) return {};
  std::string_view rest = html.substr(at + 1);
  while (!rest.empty() && (rest.front() == '"' || rest.front() == '\'' || rest.front() == ' ')) rest.remove_prefix(1);
  return rest.substr(0, rest.find_first_of("\"' />;"));
}

std::vector<std::string> other_charsets(std::string_view head, std::span<const std::string> declared, bool is_html) {
  const auto is_odd = [](std::string_view charset) { return is_known_charset(charset) && !keeps_ascii(charset); };
  std::size_t mark = 0;
  std::string_view first = marked_charset(head, mark);
  if (first.empty()) first = evident_charset(head);
  if (first.empty() && !declared.empty()) first = declared.front();
  std::vector<std::string> others;
  const auto add = [&](std::string_view charset) {
    // With a mark, or evidently, UTF-16 is of one order.
    const bool is_first = charset == first || (charset == "utf-16" && first.starts_with("utf-16"));
    if (is_first || !is_odd(charset)) return;
    const std::string lower = text::to_lower(charset);
    if (std::find(others.begin(), others.end(), lower) == others.end()) others.push_back(lower);
  };
  for (const std::string& charset : declared) add(charset);
  if (is_html) add(meta_charset(head));
  if (is_odd(first)) others.emplace_back("us-ascii");
  return others;
}

}  // namespace sallyport::mime
