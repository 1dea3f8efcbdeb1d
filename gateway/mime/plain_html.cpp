#include "gateway/mime/plain_html.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "gateway/base/ensure.h"
#include "gateway/base/octet_search.h"
#include "gateway/base/text.h"
#include "gateway/mime/html_references.h"
#include "gateway/mime/plain_elements.h"

namespace sallyport::mime {

namespace {

enum : std::uint8_t { white = 1, ends_tag_name = 2, ends_attribute_name = 4, ends_bare_value = 8 };

constexpr auto classes = [] {
  std::array<std::uint8_t, 256> all{};
  const auto mark = [&all](std::string_view characters, std::uint8_t as) {
    for (const char c : characters) all[static_cast<unsigned char>(c)] |= as;
  };
  mark(" \t\r\n\f", white | ends_tag_name | ends_attribute_name | ends_bare_value);
  mark("/>", ends_tag_name | ends_attribute_name);
  mark("=", ends_attribute_name);
  mark(">", ends_bare_value);
  return all;
}();

bool is(char c, std::uint8_t of) { return (classes[static_cast<unsigned char>(c)] & of) != 0; }
bool is_white(char c) { return is(c, white); }
bool is_all_white(std::string_view text) { return std::all_of(text.begin(), text.end(), is_white); }

constexpr bool is_odd_ascii(unsigned char c) {
  return c == 0x7f || (c < 0x20 && c != '\t' && c != '\r' && c != '\n' && c != '\f');
}

// The first octet that is no ordinary ASCII.
std::size_t next_unusual(std::string_view html, std::size_t from) {
  constexpr std::size_t stride = 32;
  for (; from + stride <= html.size(); from += stride) {
    // No early exit, and no check of each index, so that the compiler can vectorise the loop.
    const char* const octets = html.data() + from;
    unsigned char any = 0;
    for (std::size_t i = 0; i < stride; ++i) {
      const auto c = static_cast<unsigned char>(octets[i]);
      any |= static_cast<unsigned char>((c >= 0x7f) |
                                        ((c < 0x20) & (c != '\t') & (c != '\r') & (c != '\n') & (c != '\f')));
    }
    if (any != 0) break;
  }
  const auto is_usual = [](char c) { return text::is_ascii(c) && !is_odd_ascii(static_cast<unsigned char>(c)); };
  while (from < html.size() && is_usual(html[from])) ++from;
  return from;
}

// Octets that gumbo replaces, or that are no text.
bool has_odd_octets(std::string_view html) {
  bool is_ascii = true;
  for (std::size_t i = next_unusual(html, 0); i < html.size(); i = next_unusual(html, i + 1)) {
    const auto c = static_cast<unsigned char>(html[i]);
    if (c < 0x80) return true;
    is_ascii = false;
    const auto next = i + 1 < html.size() ? static_cast<unsigned char>(html[i + 1]) : 0;
    if (c == 0xc2 && next < 0xa0) return true;                     // C1
    if (c == 0xef && next == 0xb7) return true;                    // among them noncharacters
    if (c == 0xbf && (next == 0xbe || next == 0xbf)) return true;  // the same
  }
  return !is_ascii && !text::is_utf8(html);
}

constexpr HtmlAttributes no_attributes;

class PlainHtml {
 public:
  PlainHtml(std::string_view html, HtmlReading& reading) : html_(html), reading_(reading), elements_(reading) {}

  bool read() {
    while (at_ < html_.size()) {
      std::size_t end = find_octet<'<', '&'>(html_, at_);
      const bool has_reference = end < html_.size() && html_[end] == '&';
      if (has_reference) end = std::min(html_.find('<', end), html_.size());
      if (end > at_ && !text(html_.substr(at_, end - at_), has_reference)) return false;
      at_ = end;
      if (at_ < html_.size() && !markup()) return false;
    }
    elements_.end_document();
    return true;
  }

 private:
  // -- tokens

  // At "<".
  bool markup() {
    const char next = at_ + 1 < html_.size() ? html_[at_ + 1] : '\0';
    if (text::is_alpha(next)) return tag(false);
    if (next == '!' || next == '?') return declaration();
    if (next == '/') {
      const char name = at_ + 2 < html_.size() ? html_[at_ + 2] : '\0';
      if (text::is_alpha(name)) return tag(true);
      return false;
    }
    ++at_;
    return text("<", false);
  }

  // A comment, a document type, or what is taken for a comment.
  bool declaration() {
    const std::string_view rest = html_.substr(at_);
    if (!rest.starts_with("<!--")) {
      const std::size_t end = rest.find('>');
      if (end == std::string_view::npos) return false;
      at_ += end + 1;
      return true;
    }
    const std::size_t end = rest.find("-->", 4);
    if (end == std::string_view::npos || rest.substr(4).starts_with('>') || rest.substr(4).starts_with("->"))
      return false;
    const std::string_view comment = rest.substr(4, end - 4);
    if (comment.find("--!") != std::string_view::npos) return false;
    reading_.comment(comment);
    at_ += end + 3;
    return true;
  }

  bool tag(bool is_end) {
    at_ += is_end ? 2 : 1;
    std::array<char, max_html_name_octets> name{};
    std::size_t length = 0;
    for (; at_ < html_.size() && !is(html_[at_], ends_tag_name); ++at_) {
      if (length == name.size()) return false;
      name[length++] = text::lower(html_[at_]);
    }
    const std::string_view named(name.data(), length);
    const HtmlTag tag = tag_of(named);
    if (at_ < html_.size() && html_[at_] == '>') {
      ++at_;
      return whole_tag(is_end, tag, named, no_attributes);
    }
    HtmlAttributes attributes;
    return read_attributes(attributes) && whole_tag(is_end, tag, named, attributes);
  }

  bool whole_tag(bool is_end, HtmlTag tag, std::string_view name, const HtmlAttributes& attributes) {
    if (is_end) return elements_.end(tag, name);
    if (!elements_.start(tag, name, attributes)) return false;
    const bool holds_no_tags = tag == HtmlTag::script || tag == HtmlTag::style || tag == HtmlTag::title;
    return !holds_no_tags || element_without_tags(tag, name);
  }

  // Up to and including ">".
  bool read_attributes(HtmlAttributes& attributes) {
    decoded_count_ = 0;
    while (true) {
      while (at_ < html_.size() && (is_white(html_[at_]) || html_[at_] == '/')) ++at_;
      if (at_ >= html_.size()) return false;
      if (html_[at_] == '>') {
        ++at_;
        return true;
      }
      if (html_[at_] == '=') return false;
      const std::size_t begin = at_;
      while (at_ < html_.size() && !is(html_[at_], ends_attribute_name)) ++at_;
      const std::string_view name = html_.substr(begin, at_ - begin);
      std::size_t equals = at_;
      while (equals < html_.size() && is_white(html_[equals])) ++equals;
      std::string_view value;
      if (equals < html_.size() && html_[equals] == '=') {
        at_ = equals + 1;
        if (!read_value(value)) return false;
      }
      if (!take(name, value, attributes)) return false;
    }
  }

  bool read_value(std::string_view& value) {
    while (at_ < html_.size() && is_white(html_[at_])) ++at_;
    if (at_ >= html_.size() || html_[at_] == '>') return false;
    const char quote = html_[at_];
    if (quote == '"' || quote == '\'') {
      const std::size_t end = quote == '"' ? find_octet<'"'>(html_, at_ + 1) : find_octet<'\''>(html_, at_ + 1);
      if (end == html_.size()) return false;
      value = html_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      return true;
    }
    const std::size_t begin = at_;
    while (at_ < html_.size() && !is(html_[at_], ends_bare_value)) ++at_;
    value = html_.substr(begin, at_ - begin);
    return true;
  }

  // The first of several attributes of one name counts.
  bool take(std::string_view name, std::string_view value, HtmlAttributes& attributes) {
    constexpr std::size_t longest = 10;
    if (HtmlAttributes::is_code(name)) {
      attributes.has_code = true;
      return true;
    }
    if (!HtmlAttributes::may_have(name)) return true;
    std::array<char, longest> lower{};
    std::transform(name.begin(), name.end(), lower.begin(), text::lower);
    name = std::string_view(lower.data(), name.size());
    if (name == "hidden") {
      attributes.is_hidden = true;
      return true;
    }
    std::string_view* const place = attributes.find(name);
    if (place == nullptr || place->data() != nullptr) return true;
    if (find_octet<'&', '\r'>(value, 0) == value.size()) {
      *place = value.data() == nullptr ? std::string_view("", 0) : value;
      return true;
    }
    ensure(decoded_count_ < decoded_.size(), "a tag has more attributes of interest than there are");
    std::string& decoded = decoded_[decoded_count_++];
    decoded.clear();
    if (!resolve_references(value, true, decoded)) return false;
    *place = decoded;
    return true;
  }

  // -- text

  bool text(std::string_view raw, bool has_reference) {
    if (has_reference) {
      text_.clear();
      if (!resolve_references(raw, false, text_)) return false;
      raw = text_;
    }
    if (!is_all_white(raw) && !elements_.begin_text()) return false;
    reading_.text(raw);
    return true;
  }

  // The content of an element without tags in it, up to its end tag, which is taken too.
  std::optional<std::string_view> content_of(std::string_view name) {
    const std::size_t begin = at_;
    for (std::size_t at = html_.find("</", begin); at != std::string_view::npos; at = html_.find("</", at + 2)) {
      const std::string_view rest = html_.substr(at + 2);
      if (!text::starts_with_ignoring_case(rest, name) || rest.size() == name.size()) continue;
      const char behind = rest[name.size()];
      if (!is_white(behind) && behind != '/' && behind != '>') continue;
      at_ = at + 2 + name.size();
      HtmlAttributes ignored;
      if (!read_attributes(ignored)) return std::nullopt;
      return html_.substr(begin, at - begin);
    }
    return std::nullopt;
  }

  // Behind the start tag of a script, a style or a title.
  bool element_without_tags(HtmlTag tag, std::string_view name) {
    const auto content = content_of(name);
    if (!content) return false;
    if (tag == HtmlTag::script) return content->find("<!--") == std::string_view::npos;
    if (tag == HtmlTag::style) {
      reading_.style(*content);
      return true;
    }
    text_.clear();
    if (!resolve_references(*content, false, text_)) return false;
    reading_.text(text_);
    reading_.leave();
    return true;
  }

  std::string_view html_;
  HtmlReading& reading_;
  std::size_t at_ = 0;
  PlainElements elements_;
  // Values of the tag's attributes that had references, each attribute of interest once; used again for the next tag.
  std::array<std::string, HtmlAttributes::count> decoded_;
  std::size_t decoded_count_ = 0;
  std::string text_;
};

}  // namespace

bool read_plain_html(std::string_view html, HtmlReading& reading) {
  if (has_odd_octets(html)) return false;
  const HtmlReading::Mark mark = reading.mark();
  if (PlainHtml(html, reading).read()) return true;
  reading.restore(mark);
  return false;
}

}  // namespace sallyport::mime
