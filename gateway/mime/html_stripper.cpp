#include "gateway/mime/html_stripper.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>

#include "gateway/base/text.h"

namespace sallyport::mime {

namespace {

constexpr std::string_view ends_by_itself[] = {"p",      "li",     "td",    "tr",    "th",   "dt",   "dd",
                                               "option", "tbody",  "thead", "tfoot", "br",   "img",  "hr",
                                               "meta",   "link",   "input", "area",  "base", "col",  "embed",
                                               "param",  "source", "wbr",   "track", "html", "head", "body"};
constexpr std::size_t most_name = 32;

struct Tag {
  std::string name;  // lower case, cut at 32 octets
  bool is_closing = false;
  std::string_view attributes;
  std::size_t end = 0;  // offset behind it
};

bool is_name_end(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/' || c == '>' || c == '\f';
}

// The tag at `at`, where "<" stands; with an empty name for what is none. Its end is the first ">" outside of quotes.
Tag read_tag(std::string_view html, std::size_t at) {
  Tag tag;
  std::size_t from = at + 1;
  if (from < html.size() && html[from] == '/') {
    tag.is_closing = true;
    ++from;
  }
  tag.end = at + 1;
  if (from >= html.size() || !text::is_alpha(html[from])) return tag;
  std::size_t name_end = from;
  while (name_end < html.size() && !is_name_end(html[name_end])) ++name_end;
  tag.name = text::to_lower(html.substr(from, std::min(name_end - from, most_name)));
  char quote = 0;
  std::size_t end = name_end;
  for (; end < html.size(); ++end) {
    const char c = html[end];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '>') {
      break;
    } else if ((c == '"' || c == '\'') && html[end - 1] == '=') {
      quote = c;
    }
  }
  tag.attributes = html.substr(name_end, end - name_end);
  tag.end = std::min(end + 1, html.size());
  return tag;
}

void add_targets(std::string_view attributes, const HtmlLimits& limits, Html& out) {
  const std::string lower = text::to_lower(attributes);
  for (std::string_view name : {"href=", "src=", "action="}) {
    for (std::size_t at = lower.find(name); at != std::string::npos; at = lower.find(name, at + 1)) {
      if (out.links.size() >= limits.links) return;
      std::string_view rest = attributes.substr(at + name.size());
      const char quote = rest.empty() ? '\0' : rest.front();
      const bool is_quoted = quote == '"' || quote == '\'';
      rest = is_quoted ? rest.substr(1, rest.find(quote, 1) - 1) : rest.substr(0, rest.find_first_of(" \t\r\n"));
      const LinkKind kind = name == "href=" ? LinkKind::anchor : name == "src=" ? LinkKind::image : LinkKind::form;
      if (!rest.empty()) out.links.push_back({std::string(rest.substr(0, limits.target)), {}, kind});
    }
  }
}

}  // namespace

std::optional<std::string> without_repeated_attributes(std::string_view html) {
  std::optional<std::string> out;
  const auto is_white = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; };
  std::set<std::string> names;
  for (std::size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at)) {
    if (++at >= html.size() || !text::is_alpha(html[at])) continue;
    while (at < html.size() && !is_name_end(html[at])) ++at;
    names.clear();
    while (true) {
      while (at < html.size() && (is_white(html[at]) || html[at] == '/')) ++at;
      if (at >= html.size() || html[at] == '>') break;
      const std::size_t begin = at++;
      while (at < html.size() && html[at] != '=' && !is_name_end(html[at])) ++at;
      std::size_t end = at;
      while (at < html.size() && is_white(html[at])) ++at;
      const bool is_new = names.insert(text::to_lower(html.substr(begin, end - begin))).second;
      if (at < html.size() && html[at] == '=') {
        ++at;
        while (at < html.size() && is_white(html[at])) ++at;
        const char quote = at < html.size() ? html[at] : '\0';
        if (quote == '"' || quote == '\'') {
          at = std::min(html.find(quote, at + 1), html.size() - 1) + 1;
        } else {
          while (at < html.size() && html[at] != '>' && !is_white(html[at])) ++at;
        }
        end = at;
      }
      if (is_new) continue;
      if (!out) out.emplace(html);
      out->replace(begin, end - begin, end - begin, ' ');
    }
  }
  return out;
}

std::size_t nesting_of(std::string_view html) {
  std::unordered_map<std::string, std::size_t> open;
  std::size_t nesting = 0;
  for (std::size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at)) {
    const Tag tag = read_tag(html, at);
    at = tag.end;
    if (tag.name.empty() ||
        std::find(std::begin(ends_by_itself), std::end(ends_by_itself), tag.name) != std::end(ends_by_itself))
      continue;
    std::size_t& count = open[tag.name];
    if (!tag.is_closing) {
      ++count;
      ++nesting;
    } else if (count > 0) {
      --count;
      --nesting;
    }
    if (nesting > 10000) break;
  }
  return nesting;
}

void strip(std::string_view html, const HtmlLimits& limits, Html& out) {
  out.has_code = true;        // nobody has looked
  std::string skipped_until;  // the name of a script or style that is open
  for (std::size_t at = 0; at < html.size();) {
    const std::size_t tag_at = std::min(html.find('<', at), html.size());
    if (skipped_until.empty()) {
      const std::size_t room = limits.text - std::min(limits.text, out.text.size());
      out.text += html.substr(at, std::min(tag_at - at, room));
    }
    if (tag_at == html.size()) break;
    const Tag tag = read_tag(html, tag_at);
    at = tag.end;
    if (tag.is_closing && tag.name == skipped_until) skipped_until.clear();
    if (tag.is_closing || tag.name.empty() || !skipped_until.empty()) continue;
    if (tag.name == "script" || tag.name == "style") skipped_until = tag.name;
    if (tag.name == "script") out.has_script = true;
    if (tag.name == "form") out.has_form = true;
    if (!out.text.empty() && out.text.back() != '\n' && out.text.size() < limits.text) out.text += '\n';
    add_targets(tag.attributes, limits, out);
  }
}

}  // namespace sallyport::mime
