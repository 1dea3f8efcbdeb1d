// PlainElements: the elements of a plain HTML document that are open (plain_html.h), while its tags come one after the
// other. It tells the reading where elements begin and end, those included whose tags may be left out.
//
// Its functions give false where HTML's rules (13.2.6) do more than to open and close elements; the document is then
// not plain.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/mime/html_reading.h"
#include "gateway/mime/html_tag.h"

namespace sallyport::mime {

inline constexpr std::size_t max_html_name_octets = 30;

class PlainElements {
 public:
  // `reading` must outlive this object.
  explicit PlainElements(HtmlReading& reading) : reading_(reading) {}

  // A start tag, its name in lower case and of at most max_html_name_octets. Script, style and title are entered and
  // not open here: what stands in them is the caller's, and so is the end of a title.
  bool start(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes);
  bool end(HtmlTag tag, std::string_view name);
  // Text that is not all white space comes next.
  bool begin_text();
  void end_document();

 private:
  enum class Where : std::uint8_t { before_head, in_head, after_head, in_body };
  // The name of an element, without memory of its own.
  class Name {
   public:
    explicit Name(std::string_view name) : size_(static_cast<std::uint8_t>(name.size())) {
      std::copy(name.begin(), name.end(), octets_.begin());
    }
    friend bool operator==(const Name& a, std::string_view b) {
      return std::string_view(a.octets_.data(), a.size_) == b;
    }

   private:
    std::array<char, max_html_name_octets> octets_{};
    std::uint8_t size_;
  };
  struct Element {
    HtmlTag tag;
    Name name;
  };

  HtmlTag top() const { return open_.empty() ? HtmlTag::html : open_.back().tag; }
  bool push(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes = {});
  void pop();
  bool empty_element(HtmlTag tag, const HtmlAttributes& attributes);
  void enter_head(const HtmlAttributes& attributes = {});
  void enter_body();

  bool start_head(const HtmlAttributes& attributes);
  bool start_body(const HtmlAttributes& attributes);
  bool start_of_head(HtmlTag tag, const HtmlAttributes& attributes);
  bool start_in_body(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes);
  bool start_in_table(HtmlTag tag, std::string_view name, const HtmlAttributes& attributes);
  bool end_in_body(HtmlTag tag, std::string_view name);
  bool end_in_table(HtmlTag tag, std::string_view name);

  template <class Is, class Bounds>
  std::optional<std::size_t> find(Is is_it, Bounds bounds) const;
  std::optional<std::size_t> find_in_scope(HtmlTag tag, std::string_view name = {}) const;
  std::optional<std::size_t> find_in_table(HtmlTag tag, std::string_view name) const;
  bool close(std::size_t index);
  bool close_p();
  bool close_item(HtmlTag tag);
  bool close_cell();
  bool is_in_table() const;

  HtmlReading& reading_;
  Where where_ = Where::before_head;
  bool has_form_ = false;
  std::vector<Element> open_;
};

}  // namespace sallyport::mime
