#include "gateway/mime/html_reading.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/octet_search.h"
#include "gateway/base/text.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t most_comments = 400;
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

// A style with its escapes undone: "\\75 rl(" is "url(" (CSS Syntax, 4.3.7).
std::string without_escapes(std::string_view style) {
  constexpr std::size_t most_digits = 6;
  std::string plain;
  for (std::size_t i = 0; i < style.size(); ++i) {
    if (style[i] != '\\' || i + 1 == style.size()) {
      plain += style[i];
      continue;
    }
    unsigned number = 0;
    std::size_t digits = 0;
    for (; digits < most_digits && i + 1 + digits < style.size(); ++digits) {
      const char c = text::lower(style[i + 1 + digits]);
      if (!text::is_digit(c) && (c < 'a' || c > 'f')) break;
      number = number * 16 + static_cast<unsigned>(text::is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    i += std::max<std::size_t>(digits, 1);
    if (digits == 0) {
      if (style[i] != '\n') plain += style[i];
      continue;
    }
    plain += number > 0 && number < 0x80 ? static_cast<char>(number) : '?';
    if (i + 1 < style.size() && is_white(style[i + 1])) ++i;
  }
  return plain;
}

std::string_view without_quotes(std::string_view text) {
  while (!text.empty() && (text.front() == '\'' || text.front() == '"')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == '\'' || text.back() == '"')) text.remove_suffix(1);
  return text;
}

bool ends_with_url_function(std::string_view style) {
  style = trim_white_space(style);
  return style.ends_with('(') && text::ends_with_ignoring_case(style.substr(0, style.size() - 1), "url");
}

std::size_t rfind_ignoring_case(std::string_view text, std::string_view lower) {
  const auto at = std::find_end(text.begin(), text.end(), lower.begin(), lower.end(),
                                [](char a, char b) { return text::lower(a) == b; });
  return at == text.end() ? std::string_view::npos : static_cast<std::size_t>(at - text.begin());
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

bool HtmlAttributes::is_named_code(std::string_view name) {
  constexpr std::array<std::string_view, 8> names{"to",     "ping",   "poster", "srcdoc",
                                                  "lowsrc", "dynsrc", "values", "codebase"};
  const char first = text::lower(name.front());
  return std::any_of(names.begin(), names.end(), [name, first](std::string_view one) {
    return one.front() == first && text::equals_ignoring_case(name, one);
  });
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
  mark.out.has_code = out_.has_code;
  mark.out.has_form = out_.has_form;
  mark.out.has_password_field = out_.has_password_field;
  mark.out.is_whole = out_.is_whole;
  mark.text = out_.text.size();
  mark.hidden_text = out_.hidden_text.size();
  mark.hidden_separator = hidden_separator_;
  mark.links = out_.links.size();
  mark.conditional = conditional_.size();
  mark.wants_space = wants_space_;
  return mark;
}

void HtmlReading::restore(const Mark& mark) {
  out_.hidden_octets = mark.out.hidden_octets;
  out_.has_script = mark.out.has_script;
  out_.has_code = mark.out.has_code;
  out_.has_form = mark.out.has_form;
  out_.has_password_field = mark.out.has_password_field;
  out_.is_whole = mark.out.is_whole;
  out_.text.resize(mark.text);
  out_.hidden_text.resize(mark.hidden_text);
  hidden_separator_ = mark.hidden_separator;
  out_.links.resize(mark.links);
  conditional_.resize(mark.conditional);
  wants_space_ = mark.wants_space;
  open_.clear();
  hidden_ = 0;
}

bool HtmlReading::enter(HtmlTag tag, const HtmlAttributes& attributes) {
  if (tag == HtmlTag::form) out_.has_form = true;
  if (attributes.has_code || tag == HtmlTag::script) out_.has_code = true;
  const std::optional<std::size_t> link = attributes.is_bare ? std::nullopt : add_links(tag, attributes);
  if (tag == HtmlTag::script) {
    out_.has_script = true;
    return false;
  }
  if (tag == HtmlTag::style) return false;
  const std::size_t text_begin = out_.text.size();
  if (is_block(tag)) new_line();
  if (tag == HtmlTag::cell) {
    wants_space_ = true;
    if (hidden_ > 0 && hidden_separator_ == '\0') hidden_separator_ = ' ';
  }
  if (!attributes.style.empty()) style(attributes.style);
  const bool hidden = attributes.is_hidden || (!attributes.style.empty() && hides(attributes.style));
  if (hidden && hidden_++ == 0) hidden_separator_ = '\n';
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
  // A time, and what follows it, with "url=" or without (HTML, 4.2.5.3).
  std::string_view target = trim_white_space(attributes.content);
  while (!target.empty() && (text::is_digit(target.front()) || target.front() == '.')) target.remove_prefix(1);
  target = trim_white_space(target);
  if (target.starts_with(';') || target.starts_with(',')) target = trim_white_space(target.substr(1));
  if (text::starts_with_ignoring_case(target, "url")) {
    const std::string_view behind = trim_white_space(target.substr(3));
    if (behind.starts_with('=')) target = trim_white_space(behind.substr(1));
  }
  add_link(without_quotes(target), LinkKind::refresh);
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
  if (find_octet<'(', '\\', '"', '\''>(style, 0) == style.size()) return;
  std::string plain;
  if (style.find('\\') != std::string_view::npos) {
    plain = without_escapes(style);
    style = plain;
  }
  for (std::size_t at = style.find('('); at != std::string_view::npos; at = style.find('(', at + 1)) {
    if (at < 3 || !text::equals_ignoring_case(style.substr(at - 3, 3), "url")) continue;
    add_link(without_quotes(trim_white_space(style.substr(at + 1, style.find(')', at) - at - 1))), LinkKind::style);
    if (!out_.is_whole) return;
  }
  if (style.find("//") != std::string_view::npos) add_quoted_targets(style);
}

// @import "https://example.com/a.css"; image-set("https://example.com/a.png" 1x)
void HtmlReading::add_quoted_targets(std::string_view style) {
  std::size_t at = style.find_first_of("\"'");
  while (at != std::string_view::npos && out_.is_whole) {
    const std::size_t end = std::min(style.find(style[at], at + 1), style.size());
    const std::string_view quoted = style.substr(at + 1, end - at - 1);
    const bool is_target = quoted.find("//") != std::string_view::npos;
    if (is_target && !ends_with_url_function(style.substr(0, at))) add_link(quoted, LinkKind::style);
    at = style.find_first_of("\"'", std::min(end + 1, style.size()));
  }
}

void HtmlReading::comment(std::string_view comment) {
  if (!text::starts_with_ignoring_case(trim_white_space(comment), "[if")) return;
  const std::size_t begin = comment.find("]>");
  if (begin == std::string_view::npos) return;
  const std::string_view rest = comment.substr(begin + 2);
  // "[if !mso]><!": what follows the comment is shown.
  if (rest.size() < 4) return;
  if (conditional_.size() >= most_comments) {
    out_.is_whole = false;
    return;
  }
  // Up to the end of the condition that was opened here, whatever is within.
  conditional_.emplace_back(rest.substr(0, rfind_ignoring_case(rest, "<![endif")));
}

void HtmlReading::hidden_text(std::string_view text) {
  for (const char c : text) {
    if (is_white(c)) {
      if (hidden_separator_ == '\0') hidden_separator_ = ' ';
      continue;
    }
    ++out_.hidden_octets;
    if (out_.hidden_text.size() + 2 > limits_.text) continue;
    if (hidden_separator_ != '\0' && !out_.hidden_text.empty()) out_.hidden_text += hidden_separator_;
    hidden_separator_ = '\0';
    out_.hidden_text += c;
  }
}

void HtmlReading::new_line() {
  if (hidden_ > 0) hidden_separator_ = '\n';
  wants_space_ = false;
  const bool has_room = out_.text.size() < limits_.text;
  if (has_room && !out_.text.empty() && out_.text.back() != '\n') out_.text += '\n';
}

void HtmlReading::text(std::string_view text) {
  if (hidden_ > 0) return hidden_text(text);
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
