#include "gateway/mime/plain_html.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/mime/html_references.h"

namespace sallyport::mime {

namespace {

constexpr std::size_t most_nesting = 400;
constexpr std::size_t most_name = 30;

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }
bool is_all_white(std::string_view text) { return std::all_of(text.begin(), text.end(), is_white); }

// Octets that gumbo replaces, or that are no text.
bool has_odd_octets(std::string_view html) {
  constexpr auto is_ordinary = [] {
    std::array<bool, 256> ordinary{};
    for (std::size_t c = 0x20; c < 0x7f; ++c) ordinary[c] = true;
    for (const char c : std::string_view(" \t\r\n\f")) ordinary[static_cast<unsigned char>(c)] = true;
    return ordinary;
  }();
  bool is_ascii = true;
  for (std::size_t i = 0; i < html.size(); ++i) {
    // Eight octets at a time, while all of them are from space to "~".
    constexpr std::uint64_t each = 0x0101010101010101;
    for (std::uint64_t eight = 0; i + sizeof eight <= html.size(); i += sizeof eight) {
      std::memcpy(&eight, html.data() + i, sizeof eight);
      const std::uint64_t other = ((eight - 0x20 * each) | eight | (eight + each)) & 0x80 * each;
      if (other == 0) continue;
      // Borrows and carries go upwards, so the lowest is right; it is the first one in memory.
      if constexpr (std::endian::native == std::endian::little) {
        i += static_cast<std::size_t>(std::countr_zero(other)) / 8;
      }
      break;
    }
    if (i == html.size()) break;
    const auto c = static_cast<unsigned char>(html[i]);
    if (is_ordinary[c]) continue;
    if (c < 0x80) return true;
    is_ascii = false;
    const auto next = i + 1 < html.size() ? static_cast<unsigned char>(html[i + 1]) : 0;
    if (c == 0xc2 && next < 0xa0) return true;                     // C1
    if (c == 0xef && next == 0xb7) return true;                    // among them noncharacters
    if (c == 0xbf && (next == 0xbe || next == 0xbf)) return true;  // the same
  }
  return !is_ascii && !text::is_utf8(html);
}

bool ends_by_itself(HtmlTag tag) {
  return tag == HtmlTag::p || tag == HtmlTag::li || tag == HtmlTag::dd || tag == HtmlTag::dt;
}
// Bounds the search for open elements (HTML, 13.2.4.2).
bool is_scope(HtmlTag tag) { return tag == HtmlTag::html || tag == HtmlTag::table || tag == HtmlTag::cell; }
bool is_special(HtmlTag tag) { return tag != HtmlTag::other && tag != HtmlTag::formatting && tag != HtmlTag::anchor; }
bool is_of_table(HtmlTag tag) {
  return tag == HtmlTag::table || tag == HtmlTag::row_group || tag == HtmlTag::tr || tag == HtmlTag::colgroup;
}

class PlainHtml {
 public:
  PlainHtml(std::string_view html, HtmlReading& reading) : html_(html), reading_(reading) {}

  bool read() {
    while (at_ < html_.size()) {
      const std::size_t end = std::min(html_.find('<', at_), html_.size());
      if (end > at_ && !text(html_.substr(at_, end - at_))) return false;
      at_ = end;
      if (at_ < html_.size() && !markup()) return false;
    }
    while (!open_.empty()) pop();
    return true;
  }

 private:
  enum class Where { before_head, in_head, after_head, in_body };
  struct Element {
    HtmlTag tag;
    std::string name;
  };

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
    return text("<");
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
    std::array<char, most_name> name{};
    std::size_t length = 0;
    for (; at_ < html_.size() && !is_white(html_[at_]) && html_[at_] != '/' && html_[at_] != '>'; ++at_) {
      if (length == most_name) return false;
      name[length++] = text::lower(html_[at_]);
    }
    const std::string_view named(name.data(), length);
    HtmlAttributes attributes;
    if (!read_attributes(attributes)) return false;
    const HtmlTag tag = tag_of(named);
    return is_end ? end(tag, named) : start(tag, named, attributes);
  }

  // Up to and including ">".
  bool read_attributes(HtmlAttributes& attributes) {
    if (!decoded_.empty()) decoded_.clear();
    while (true) {
      while (at_ < html_.size() && (is_white(html_[at_]) || html_[at_] == '/')) ++at_;
      if (at_ >= html_.size()) return false;
      if (html_[at_] == '>') {
        ++at_;
        return true;
      }
      if (html_[at_] == '=') return false;
      const std::size_t begin = at_;
      while (at_ < html_.size() && !is_white(html_[at_]) && html_[at_] != '/' && html_[at_] != '>' && html_[at_] != '=')
        ++at_;
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
      const std::size_t end = html_.find(quote, at_ + 1);
      if (end == std::string_view::npos) return false;
      value = html_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      return true;
    }
    const std::size_t begin = at_;
    while (at_ < html_.size() && !is_white(html_[at_]) && html_[at_] != '>') ++at_;
    value = html_.substr(begin, at_ - begin);
    return true;
  }

  // The first of several attributes of one name counts.
  bool take(std::string_view name, std::string_view value, HtmlAttributes& attributes) {
    constexpr std::size_t longest = 10;
    if (name.size() > longest) return true;
    std::array<char, longest> lower{};
    std::transform(name.begin(), name.end(), lower.begin(), text::lower);
    name = std::string_view(lower.data(), name.size());
    if (name == "hidden") {
      attributes.is_hidden = true;
      return true;
    }
    std::string_view* const place = attributes.find(name);
    if (place == nullptr || place->data() != nullptr) return true;
    if (value.find('&') == std::string_view::npos && value.find('\r') == std::string_view::npos) {
      *place = value.data() == nullptr ? std::string_view("", 0) : value;
      return true;
    }
    std::string& decoded = decoded_.emplace_back();
    if (!resolve_references(value, true, decoded)) return false;
    *place = decoded;
    return true;
  }

  // -- text

  bool text(std::string_view raw) {
    if (raw.find('&') != std::string_view::npos) {
      text_.clear();
      if (!resolve_references(raw, false, text_)) return false;
      raw = text_;
    }
    if (!is_all_white(raw)) {
      if (where_ != Where::in_body) enter_body();
      if (is_of_table(top())) return false;
    }
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

  bool script(const HtmlAttributes& attributes) {
    reading_.enter(HtmlTag::script, attributes);
    const auto content = content_of("script");
    return content && content->find("<!--") == std::string_view::npos;
  }
  bool style(const HtmlAttributes& attributes) {
    reading_.enter(HtmlTag::style, attributes);
    const auto content = content_of("style");
    if (content) reading_.style(*content);
    return content.has_value();
  }
  bool title(const HtmlAttributes& attributes) {
    // Behind the head it is of the head all the same, and so before the white space between them.
    if (where_ == Where::after_head || (where_ == Where::in_body && is_of_table(top()))) return false;
    reading_.enter(HtmlTag::title, attributes);
    const auto content = content_of("title");
    if (!content) return false;
    text_.clear();
    if (!resolve_references(*content, false, text_)) return false;
    reading_.text(text_);
    reading_.leave();
    return true;
  }

  // -- open elements

  HtmlTag top() const { return open_.empty() ? HtmlTag::html : open_.back().tag; }
  bool push(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes = {}) {
    if (open_.size() >= most_nesting) return false;
    reading_.enter(tag, attributes);
    open_.push_back({tag, std::string(name)});
    return true;
  }
  void pop() {
    reading_.leave();
    open_.pop_back();
  }
  bool empty_element(HtmlTag tag, const HtmlAttributes& attributes) {
    reading_.enter(tag, attributes);
    reading_.leave();
    return true;
  }
  void enter_body() {
    if (where_ == Where::in_head) pop();
    if (open_.empty()) push(HtmlTag::html, "html");
    push(HtmlTag::body, "body");
    where_ = Where::in_body;
  }

  // The innermost open element that `is_it` holds for, not looking beyond one that bounds the search.
  template <class Is, class Bounds>
  std::optional<std::size_t> find(Is is_it, Bounds bounds) const {
    for (std::size_t i = open_.size(); i-- > 0;) {
      if (is_it(open_[i])) return i;
      if (bounds(open_[i])) return std::nullopt;
    }
    return std::nullopt;
  }
  std::optional<std::size_t> find_in_scope(HtmlTag tag, std::string_view name = {}) const {
    return find([&](const Element& one) { return one.tag == tag && (name.empty() || one.name == name); },
                [](const Element& one) { return is_scope(one.tag); });
  }
  // Closes the element, and those within that end by themselves; false when there are others.
  bool close(std::size_t index) {
    for (std::size_t i = index + 1; i < open_.size(); ++i) {
      if (!ends_by_itself(open_[i].tag)) return false;
    }
    while (open_.size() > index) pop();
    return true;
  }
  bool close_p() {
    const auto p = find_in_scope(HtmlTag::p);
    return !p || (*p + 1 == open_.size() && close(*p));
  }
  bool close_item(HtmlTag tag) {
    const auto is_item = [tag](const Element& one) {
      return tag == HtmlTag::li ? one.tag == HtmlTag::li : one.tag == HtmlTag::dd || one.tag == HtmlTag::dt;
    };
    const auto item = find(is_item, [](const Element& one) {
      return is_special(one.tag) && one.tag != HtmlTag::p && one.name != "address" && one.name != "div";
    });
    return (!item || close(*item)) && close_p();
  }
  bool close_cell() {
    const auto cell = find_in_scope(HtmlTag::cell);
    return cell && close(*cell);
  }
  bool is_in_table() const {
    return std::any_of(open_.begin(), open_.end(), [](const Element& one) { return one.tag == HtmlTag::table; });
  }

  // -- the beginnings of elements (HTML, 13.2.6.4)

  bool start(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes) {
    switch (tag) {
      case HtmlTag::html:
        return where_ == Where::before_head && open_.empty() && push(tag, name, attributes);
      case HtmlTag::head:
        if (where_ != Where::before_head) return true;
        // What comes between head and body would be within it.
        if (attributes.is_hidden || !attributes.style.empty() || !attributes.href.empty() ||
            !attributes.xlink_href.empty())
          return false;
        enter_head(attributes);
        return true;
      case HtmlTag::body:
        if (where_ == Where::in_body) return false;
        if (where_ == Where::in_head) pop();
        if (open_.empty()) push(HtmlTag::html, "html");
        where_ = Where::in_body;
        return push(tag, name, attributes);
      case HtmlTag::base:
      case HtmlTag::link:
      case HtmlTag::meta:
      case HtmlTag::title:
      case HtmlTag::style:
      case HtmlTag::script:
        if (where_ == Where::before_head) enter_head();
        return of_head(tag, attributes);
      default:
        break;
    }
    if (where_ != Where::in_body) enter_body();
    return is_of_table(top()) ? start_in_table(tag, name, attributes) : start_in_body(tag, name, attributes);
  }

  void enter_head(const HtmlAttributes& attributes = {}) {
    if (open_.empty()) push(HtmlTag::html, "html");
    push(HtmlTag::head, "head", attributes);
    where_ = Where::in_head;
  }

  bool of_head(HtmlTag tag, const HtmlAttributes& attributes) {
    if (tag == HtmlTag::script) return script(attributes);
    if (tag == HtmlTag::style) return style(attributes);
    if (tag == HtmlTag::title) return title(attributes);
    if (where_ == Where::in_body && is_of_table(top())) return false;
    return empty_element(tag, attributes);
  }

  bool start_in_body(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes) {
    switch (tag) {
      case HtmlTag::other:
      case HtmlTag::formatting:
        return push(tag, name, attributes);
      case HtmlTag::anchor: {
        const auto outer = find([](const Element& one) { return one.tag == HtmlTag::anchor; },
                                [](const Element& one) { return one.tag == HtmlTag::cell; });
        return !outer && push(tag, name, attributes);
      }
      case HtmlTag::form:
        if (has_form_) return false;
        has_form_ = true;
        return close_p() && push(tag, name, attributes);
      case HtmlTag::heading:
        return close_p() && top() != HtmlTag::heading && push(tag, name, attributes);
      case HtmlTag::p:
      case HtmlTag::block:
      case HtmlTag::plain_block:
        return close_p() && push(tag, name, attributes);
      case HtmlTag::li:
      case HtmlTag::dd:
      case HtmlTag::dt:
        return close_item(tag) && push(tag, name, attributes);
      case HtmlTag::table:
        return !find_in_scope(HtmlTag::p) && push(tag, name, attributes);
      case HtmlTag::cell:
      case HtmlTag::tr:
      case HtmlTag::row_group:
        if (!is_in_table()) return true;
        return close_cell() && start_in_table(tag, name, attributes);
      case HtmlTag::hr:
        return close_p() && empty_element(tag, attributes);
      case HtmlTag::br:
      case HtmlTag::input:
      case HtmlTag::embed:
      case HtmlTag::empty:
        return empty_element(tag, attributes);
      default:
        return false;
    }
  }

  // The innermost element is a table, or of one and no cell.
  bool start_in_table(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes) {
    if (top() == HtmlTag::colgroup) {
      if (tag == HtmlTag::col) return empty_element(tag, attributes);
      pop();
    }
    const bool is_row = tag == HtmlTag::cell || tag == HtmlTag::tr;
    if (top() == HtmlTag::tr && (tag == HtmlTag::tr || tag == HtmlTag::row_group)) pop();
    if (top() == HtmlTag::row_group && tag == HtmlTag::row_group) pop();
    if (top() == HtmlTag::table && is_row && !push(HtmlTag::row_group, "tbody")) return false;
    if (top() == HtmlTag::row_group && tag == HtmlTag::cell && !push(HtmlTag::tr, "tr")) return false;
    if (top() == HtmlTag::table && tag == HtmlTag::col) return empty_element(tag, attributes);
    const bool fits = (top() == HtmlTag::table && (tag == HtmlTag::row_group || tag == HtmlTag::colgroup)) ||
                      (top() == HtmlTag::row_group && tag == HtmlTag::tr) ||
                      (top() == HtmlTag::tr && tag == HtmlTag::cell);
    return fits && push(tag, name, attributes);
  }

  // -- and their ends

  bool end(HtmlTag tag, std::string_view name) {
    // What follows the end of the body is still of it.
    if (tag == HtmlTag::html || tag == HtmlTag::body) return where_ == Where::in_body;
    if (tag == HtmlTag::br || tag == HtmlTag::difficult || tag == HtmlTag::iframe || tag == HtmlTag::object ||
        tag == HtmlTag::frame)
      return false;
    if (tag == HtmlTag::head && where_ == Where::before_head) return false;
    if (tag == HtmlTag::head && where_ == Where::in_head) {
      pop();
      where_ = Where::after_head;
    }
    if (where_ != Where::in_body || tag == HtmlTag::head) return true;
    return is_of_table(top()) ? end_in_table(tag, name) : end_in_body(tag, name);
  }

  bool end_in_body(HtmlTag tag, std::string_view name) {
    std::optional<std::size_t> ended;
    switch (tag) {
      case HtmlTag::p:
        ended = find_in_scope(tag);
        if (!ended) return empty_element(tag, {});  // an end without a beginning is an empty paragraph
        break;
      case HtmlTag::form:
        if (!has_form_) return true;
        has_form_ = false;
        ended = find_in_scope(tag);
        break;
      case HtmlTag::block:
      case HtmlTag::plain_block:
        ended = find_in_scope(tag, name);
        break;
      case HtmlTag::heading:
      case HtmlTag::dd:
      case HtmlTag::dt:
        ended = find_in_scope(tag);
        break;
      case HtmlTag::li:
        ended = find([](const Element& one) { return one.tag == HtmlTag::li; },
                     [](const Element& one) { return is_scope(one.tag) || one.name == "ol" || one.name == "ul"; });
        break;
      case HtmlTag::cell:
        ended = find_in_scope(tag);
        if (ended && open_[*ended].name != name) return true;
        break;
      case HtmlTag::table:
      case HtmlTag::row_group:
      case HtmlTag::tr: {
        const auto of_table = find([&](const Element& one) { return one.tag == tag && one.name == name; },
                                   [](const Element& one) { return one.tag == HtmlTag::table; });
        return !of_table || (close_cell() && end_in_table(tag, name));
      }
      case HtmlTag::anchor:
      case HtmlTag::formatting:
        ended = find([&](const Element& one) { return one.name == name; },
                     [](const Element& one) { return one.tag == HtmlTag::cell; });
        if (ended && *ended + 1 != open_.size()) return false;
        break;
      case HtmlTag::other:
        // For gumbo all names that it does not know are one, so none but the innermost is ended here.
        ended = find([](const Element& one) { return one.tag == HtmlTag::other; },
                     [](const Element& one) { return is_special(one.tag); });
        if (ended && (*ended + 1 != open_.size() || open_[*ended].name != name)) return false;
        break;
      default:
        break;
    }
    return !ended || close(*ended);
  }

  bool end_in_table(HtmlTag tag, std::string_view name) {
    if (top() == HtmlTag::colgroup) {
      if (tag == HtmlTag::col) return true;
      pop();
      if (tag == HtmlTag::colgroup) return true;
    }
    if (tag == HtmlTag::cell || tag == HtmlTag::col || tag == HtmlTag::colgroup) return true;
    if (tag != HtmlTag::table && tag != HtmlTag::row_group && tag != HtmlTag::tr) return false;
    const auto ended = find([&](const Element& one) { return one.tag == tag && one.name == name; },
                            [](const Element& one) { return one.tag == HtmlTag::table; });
    while (ended && open_.size() > *ended) pop();
    return true;
  }

  std::string_view html_;
  HtmlReading& reading_;
  std::size_t at_ = 0;
  Where where_ = Where::before_head;
  bool has_form_ = false;
  std::vector<Element> open_;
  std::deque<std::string> decoded_;  // values of the tag's attributes
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
