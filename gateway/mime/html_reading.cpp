#include "gateway/mime/html_reading.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t most_comments = 16;
constexpr std::size_t most_shown = 1024;
constexpr std::size_t usual_links = 32;  // of a mail that has one
constexpr std::size_t usual_nesting = 32;

constexpr auto white = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view(" \t\r\n\f")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();
bool is_white(char c) { return white[static_cast<unsigned char>(c)]; }

// The length of the words at the beginning, as far as one space stands between each two of them: what is shown as it
// is. Looks at a first piece, so that who takes less of it may ask again.
std::size_t plain_words(std::string_view text) {
  text = text.substr(0, 1024);
  constexpr std::size_t stride = 16;
  std::size_t i = 0;
  for (; i + stride < text.size(); i += stride) {
    // No early exit, and no check of each index, so that the compiler can vectorise the loop: ten times fewer
    // instructions.
    const char* const octets = text.data() + i;
    unsigned char any = 0;
    for (std::size_t j = 0; j < stride; ++j) {
      const char c = octets[j];
      const char next = octets[j + 1];
      any |= static_cast<unsigned char>((c == '\t') | (c == '\r') | (c == '\n') | (c == '\f') |
                                        ((c == ' ') & (next == ' ')));
    }
    if (any != 0) break;
  }
  // A space before the stride's end may have other white space behind it.
  if (i > 0 && text[i - 1] == ' ') --i;
  for (; i < text.size(); ++i) {
    if (!is_white(text[i])) continue;
    if (text[i] != ' ' || i + 1 == text.size() || is_white(text[i + 1])) return i;
  }
  return text.size();
}

// Whether a declaration may hide: a value that begins like none, hidden, all or 0.
bool may_hide(std::string_view style) {
  for (std::size_t at = style.find(':'); at != std::string_view::npos; at = style.find(':', at + 1)) {
    std::size_t value = at + 1;
    while (value < style.size() && text::is_space(style[value])) ++value;
    if (value == style.size()) return false;
    const char first = text::lower(style[value]);
    if (first == 'n' || first == 'h' || first == 'a' || first == '0' || is_white(first)) return true;
  }
  return false;
}

// Whether a style hides what has it.
bool hides(std::string_view style) {
  if (!may_hide(style)) return false;
  std::string plain;
  for (char c : style) {
    if (!text::is_space(c) && c != '\r' && c != '\n') plain += text::lower(c);
  }
  for (std::string_view what : {"display:none", "visibility:hidden", "mso-hide:all", "font-size:0;", "font-size:0px",
                                "font-size:0pt", "font-size:0em", "opacity:0;"}) {
    if (plain.find(what) != std::string::npos) return true;
  }
  return plain.ends_with("font-size:0") || plain.ends_with("opacity:0");
}

}  // namespace

std::string_view trim_white_space(std::string_view text) {
  while (!text.empty() && is_white(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_white(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view* HtmlAttributes::find(std::string_view name) {
  std::string_view* const place = place_of(name);
  if (place != nullptr && place != &style) is_bare = false;
  return place;
}

bool HtmlAttributes::may_have(std::string_view name) {
  if (name.empty()) return false;
  const char first = text::lower(name.front());
  switch (name.size()) {
    case 3:
    case 5:
      return first == 's';
    case 4:
      return first == 'h' || first == 't' || first == 'd';
    case 6:
      return first == 'a' || first == 's' || first == 'h';
    case 7:
      return first == 'c';
    case 10:
      return first == 'x' || first == 'f' || first == 'h' || first == 'b';
    default:
      return false;
  }
}

std::string_view* HtmlAttributes::place_of(std::string_view name) {
  switch (name.size()) {
    case 3:
      return name == "src" ? &src : nullptr;
    case 4:
      if (name == "href") return &href;
      if (name == "type") return &type;
      return name == "data" ? &data : nullptr;
    case 5:
      return name == "style" ? &style : nullptr;
    case 6:
      if (name == "action") return &action;
      return name == "srcset" ? &srcset : nullptr;
    case 7:
      return name == "content" ? &content : nullptr;
    case 10:
      if (name == "xlink:href") return &xlink_href;
      if (name == "formaction") return &formaction;
      if (name == "http-equiv") return &http_equiv;
      return name == "background" ? &background : nullptr;
    default:
      return nullptr;
  }
}

HtmlReading::Mark HtmlReading::mark() const {
  Mark mark;
  mark.out.hidden_octets = out_.hidden_octets;
  mark.out.has_script = out_.has_script;
  mark.out.has_form = out_.has_form;
  mark.out.has_password_field = out_.has_password_field;
  mark.out.is_whole = out_.is_whole;
  mark.text = out_.text.size();
  mark.links = out_.links.size();
  mark.conditional = conditional_.size();
  mark.wants_space = wants_space_;
  return mark;
}

void HtmlReading::restore(const Mark& mark) {
  out_.hidden_octets = mark.out.hidden_octets;
  out_.has_script = mark.out.has_script;
  out_.has_form = mark.out.has_form;
  out_.has_password_field = mark.out.has_password_field;
  out_.is_whole = mark.out.is_whole;
  out_.text.resize(mark.text);
  out_.links.resize(mark.links);
  conditional_.resize(mark.conditional);
  wants_space_ = mark.wants_space;
  open_.clear();
  hidden_ = 0;
}

bool HtmlReading::enter(HtmlTag tag, const HtmlAttributes& attributes) {
  if (tag == HtmlTag::form) out_.has_form = true;
  const std::optional<std::size_t> link = attributes.is_bare ? std::nullopt : add_links(tag, attributes);
  if (tag == HtmlTag::script) {
    out_.has_script = true;
    return false;
  }
  if (tag == HtmlTag::style) return false;
  const std::size_t text_begin = out_.text.size();
  if (is_block(tag)) new_line();
  if (tag == HtmlTag::cell) wants_space_ = true;
  if (!attributes.style.empty()) style(attributes.style);
  const bool hidden = attributes.is_hidden || (!attributes.style.empty() && hides(attributes.style));
  if (hidden) ++hidden_;
  if (open_.empty()) open_.reserve(usual_nesting);
  open_.push_back({tag, hidden, link, text_begin});
  return true;
}

void HtmlReading::leave() {
  const Open left = open_.back();
  open_.pop_back();
  if (left.hides) --hidden_;
  if (is_block(left.tag) && left.tag != HtmlTag::br) new_line();
  if (!left.link) return;
  const std::string_view shown =
      trim_white_space(std::string_view(out_.text).substr(std::min(left.text_begin, out_.text.size())));
  out_.links[*left.link].shown = shown.substr(0, most_shown);
}

// Gives the link whose shown text the element has.
std::optional<std::size_t> HtmlReading::add_links(HtmlTag tag, const HtmlAttributes& attributes) {
  const std::size_t before = out_.links.size();
  switch (tag) {
    case HtmlTag::base:
      add_link(attributes.href, LinkKind::base);
      break;
    case HtmlTag::link:
      add_link(attributes.href, LinkKind::style);
      break;
    case HtmlTag::form:
      add_link(attributes.action, LinkKind::form);
      break;
    case HtmlTag::iframe:
    case HtmlTag::frame:
    case HtmlTag::embed:
      add_link(attributes.src, LinkKind::frame);
      break;
    case HtmlTag::object:
      add_link(attributes.data, LinkKind::frame);
      break;
    case HtmlTag::script:
      add_link(attributes.src, LinkKind::script);
      break;
    case HtmlTag::meta:
      add_refresh(attributes);
      break;
    default:
      add_link(attributes.href, LinkKind::anchor);
      add_link(attributes.xlink_href, LinkKind::anchor);
      add_link(attributes.src, LinkKind::image);
      break;
  }
  std::optional<std::size_t> shown_for;
  if (out_.links.size() > before &&
      (out_.links[before].kind == LinkKind::anchor || out_.links[before].kind == LinkKind::form))
    shown_for = before;
  add_link(attributes.formaction, LinkKind::form);
  add_link(attributes.background, LinkKind::image);
  add_source_set(attributes.srcset);
  if (tag == HtmlTag::input && text::equals_ignoring_case(attributes.type, "password")) out_.has_password_field = true;
  return shown_for;
}

void HtmlReading::add_written_link(std::string_view target, LinkKind kind) {
  target = trim_white_space(target);
  if (target.empty()) return;
  if (out_.links.size() >= limits_.links) {
    out_.is_whole = false;
    return;
  }
  if (out_.links.empty()) out_.links.reserve(usual_links);
  out_.links.push_back({std::string(target.substr(0, limits_.target)), {}, kind});
}

// <meta http-equiv=refresh content="0; url=...">
void HtmlReading::add_refresh(const HtmlAttributes& attributes) {
  if (!text::equals_ignoring_case(trim_white_space(attributes.http_equiv), "refresh")) return;
  const std::string_view content = attributes.content;
  const std::size_t at = text::to_lower(content).find("url");
  if (at == std::string::npos) return;
  std::string_view target = trim_white_space(content.substr(at + 3));
  if (target.starts_with('=')) target = trim_white_space(target.substr(1));
  while (!target.empty() && (target.front() == '\'' || target.front() == '"')) target.remove_prefix(1);
  while (!target.empty() && (target.back() == '\'' || target.back() == '"')) target.remove_suffix(1);
  add_link(target, LinkKind::refresh);
}

void HtmlReading::add_source_set(std::string_view set) {
  while (!set.empty()) {
    const std::size_t end = std::min(set.find(','), set.size());
    const std::string_view one = trim_white_space(set.substr(0, end));
    add_link(one.substr(0, one.find_first_of(" \t\r\n")), LinkKind::image);
    set.remove_prefix(std::min(end + 1, set.size()));
  }
}

void HtmlReading::style(std::string_view style) {
  for (std::size_t at = style.find("url("); at != std::string_view::npos; at = style.find("url(", at + 4)) {
    std::string_view target = trim_white_space(style.substr(at + 4, style.find(')', at) - at - 4));
    while (!target.empty() && (target.front() == '\'' || target.front() == '"')) target.remove_prefix(1);
    while (!target.empty() && (target.back() == '\'' || target.back() == '"')) target.remove_suffix(1);
    add_link(target, LinkKind::style);
    if (!out_.is_whole) return;
  }
}

void HtmlReading::comment(std::string_view comment) {
  if (!trim_white_space(comment).starts_with("[if") || conditional_.size() >= most_comments) return;
  const std::size_t begin = comment.find("]>");
  const std::size_t end = comment.rfind("<![endif");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + 2) return;
  conditional_.emplace_back(comment.substr(begin + 2, end - begin - 2));
}

void HtmlReading::new_line() {
  wants_space_ = false;
  const bool has_room = out_.text.size() < limits_.text;
  if (has_room && !out_.text.empty() && out_.text.back() != '\n') out_.text += '\n';
}

void HtmlReading::text(std::string_view text) {
  if (hidden_ > 0) {
    out_.hidden_octets +=
        static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !is_white(c); }));
    return;
  }
  while (!text.empty()) {
    if (is_white(text.front())) {
      wants_space_ = true;
      text.remove_prefix(1);
      continue;
    }
    std::size_t length = plain_words(text);
    const bool has_room = out_.text.size() + length + 2 <= limits_.text;
    if (!has_room) length = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_white) - text.begin());
    const std::string_view word = text.substr(0, length);
    text.remove_prefix(length);
    if (wants_space_ && !out_.text.empty() && out_.text.back() != '\n') {
      if (out_.text.size() + 2 > limits_.text) return void(out_.is_whole = false);
      out_.text += ' ';
    }
    wants_space_ = false;
    const std::size_t room = limits_.text - std::min(limits_.text, out_.text.size() + 1);
    out_.text += word.substr(0, room);
    if (word.size() > room) return void(out_.is_whole = false);
  }
}

}  // namespace sallyport::mime
