#include "gateway/mime/plain_elements.h"

#include <algorithm>

namespace sallyport::mime {

namespace {

constexpr std::size_t most_nesting = 400;
constexpr std::size_t usual_nesting = 32;

bool ends_by_itself(HtmlTag tag) {
  return tag == HtmlTag::p || tag == HtmlTag::li || tag == HtmlTag::dd || tag == HtmlTag::dt;
}
// Bounds the search for open elements (HTML, 13.2.4.2).
bool is_scope(HtmlTag tag) { return tag == HtmlTag::html || tag == HtmlTag::table || tag == HtmlTag::cell; }
bool is_special(HtmlTag tag) { return tag != HtmlTag::other && tag != HtmlTag::formatting && tag != HtmlTag::anchor; }
bool is_of_table(HtmlTag tag) {
  return tag == HtmlTag::table || tag == HtmlTag::row_group || tag == HtmlTag::tr || tag == HtmlTag::colgroup;
}

}  // namespace

// -- the stack

bool PlainElements::push(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes) {
  if (open_.size() >= most_nesting) return false;
  reading_.enter(tag, attributes);
  if (open_.empty()) open_.reserve(usual_nesting);
  open_.push_back({tag, Name(name)});
  return true;
}

void PlainElements::pop() {
  reading_.leave();
  open_.pop_back();
}

bool PlainElements::empty_element(HtmlTag tag, const HtmlAttributes& attributes) {
  reading_.enter(tag, attributes);
  reading_.leave();
  return true;
}

void PlainElements::enter_head(const HtmlAttributes& attributes) {
  if (open_.empty()) push(HtmlTag::html, "html");
  push(HtmlTag::head, "head", attributes);
  where_ = Where::in_head;
}

void PlainElements::enter_body() {
  if (where_ == Where::in_head) pop();
  if (open_.empty()) push(HtmlTag::html, "html");
  push(HtmlTag::body, "body");
  where_ = Where::in_body;
}

bool PlainElements::begin_text() {
  if (where_ != Where::in_body) enter_body();
  return !is_of_table(top());
}

void PlainElements::end_document() {
  while (!open_.empty()) pop();
}

// The innermost open element that `is_it` holds for, not looking beyond one that bounds the search.
template <class Is, class Bounds>
std::optional<std::size_t> PlainElements::find(Is is_it, Bounds bounds) const {
  for (std::size_t i = open_.size(); i-- > 0;) {
    if (is_it(open_[i])) return i;
    if (bounds(open_[i])) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::size_t> PlainElements::find_in_scope(HtmlTag tag, std::string_view name) const {
  return find([&](const Element& one) { return one.tag == tag && (name.empty() || one.name == name); },
              [](const Element& one) { return is_scope(one.tag); });
}

std::optional<std::size_t> PlainElements::find_in_table(HtmlTag tag, std::string_view name) const {
  return find([&](const Element& one) { return one.tag == tag && one.name == name; },
              [](const Element& one) { return one.tag == HtmlTag::table; });
}

// Closes the element, and those within that end by themselves; false when there are others.
bool PlainElements::close(std::size_t index) {
  for (std::size_t i = index + 1; i < open_.size(); ++i) {
    if (!ends_by_itself(open_[i].tag)) return false;
  }
  while (open_.size() > index) pop();
  return true;
}

bool PlainElements::close_p() {
  const auto p = find_in_scope(HtmlTag::p);
  return !p || (*p + 1 == open_.size() && close(*p));
}

bool PlainElements::close_item(HtmlTag tag) {
  const auto is_item = [tag](const Element& one) {
    return tag == HtmlTag::li ? one.tag == HtmlTag::li : one.tag == HtmlTag::dd || one.tag == HtmlTag::dt;
  };
  const auto item = find(is_item, [](const Element& one) {
    return is_special(one.tag) && one.tag != HtmlTag::p && one.name != "address" && one.name != "div";
  });
  return (!item || close(*item)) && close_p();
}

bool PlainElements::close_cell() {
  const auto cell = find_in_scope(HtmlTag::cell);
  return cell && close(*cell);
}

bool PlainElements::is_in_table() const {
  return std::any_of(open_.begin(), open_.end(), [](const Element& one) { return one.tag == HtmlTag::table; });
}

// -- the beginnings of elements (HTML, 13.2.6.4)

bool PlainElements::start(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes) {
  switch (tag) {
    case HtmlTag::html:
      return where_ == Where::before_head && open_.empty() && push(tag, name, attributes);
    case HtmlTag::head:
      return start_head(attributes);
    case HtmlTag::body:
      return start_body(attributes);
    case HtmlTag::base:
    case HtmlTag::link:
    case HtmlTag::meta:
    case HtmlTag::title:
    case HtmlTag::style:
    case HtmlTag::script:
      if (where_ == Where::before_head) enter_head();
      return start_of_head(tag, attributes);
    default:
      break;
  }
  if (where_ != Where::in_body) enter_body();
  return is_of_table(top()) ? start_in_table(tag, name, attributes) : start_in_body(tag, name, attributes);
}

bool PlainElements::start_head(const HtmlAttributes& attributes) {
  if (where_ != Where::before_head) return true;
  // What comes between head and body would be within it.
  if (attributes.is_hidden || !attributes.style.empty() || !attributes.href.empty() || !attributes.xlink_href.empty())
    return false;
  enter_head(attributes);
  return true;
}

bool PlainElements::start_body(const HtmlAttributes& attributes) {
  if (where_ == Where::in_body) return false;
  if (where_ == Where::in_head) pop();
  if (open_.empty()) push(HtmlTag::html, "html");
  where_ = Where::in_body;
  return push(HtmlTag::body, "body", attributes);
}

bool PlainElements::start_of_head(HtmlTag tag, const HtmlAttributes& attributes) {
  // What scripts and styles hold is no element, so that they may stand anywhere.
  if (tag == HtmlTag::script || tag == HtmlTag::style) {
    reading_.enter(tag, attributes);
    return true;
  }
  if (where_ == Where::in_body && is_of_table(top())) return false;
  if (tag != HtmlTag::title) return empty_element(tag, attributes);
  // Behind the head it is of the head all the same, and so before the white space between them.
  if (where_ == Where::after_head) return false;
  reading_.enter(tag, attributes);
  return true;
}

bool PlainElements::start_in_body(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes) {
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
bool PlainElements::start_in_table(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes) {
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

bool PlainElements::end(HtmlTag tag, std::string_view name) {
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

bool PlainElements::end_in_body(HtmlTag tag, std::string_view name) {
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
      const auto of_table = find_in_table(tag, name);
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

bool PlainElements::end_in_table(HtmlTag tag, std::string_view name) {
  if (top() == HtmlTag::colgroup) {
    if (tag == HtmlTag::col) return true;
    pop();
    if (tag == HtmlTag::colgroup) return true;
  }
  if (tag == HtmlTag::cell || tag == HtmlTag::col || tag == HtmlTag::colgroup) return true;
  if (tag != HtmlTag::table && tag != HtmlTag::row_group && tag != HtmlTag::tr) return false;
  const auto ended = find_in_table(tag, name);
  while (ended && open_.size() > *ended) pop();
  return true;
}

}  // namespace sallyport::mime
