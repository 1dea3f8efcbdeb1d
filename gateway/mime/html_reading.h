// HtmlReading: what is read of an HTML document, told element by element in the order of the document, whoever has
// parsed it: the visible text, links, forms (html.h).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/mime/html.h"
#include "gateway/mime/html_tag.h"

namespace sallyport::mime {

// The attributes that are of interest; empty for those that are not there.
struct HtmlAttributes {
  static constexpr std::size_t count = 12;  // with a value

  std::string_view href;
  std::string_view xlink_href;
  std::string_view src;
  std::string_view data;
  std::string_view action;
  std::string_view formaction;
  std::string_view background;
  std::string_view srcset;
  std::string_view style;
  std::string_view type;
  std::string_view http_equiv;
  std::string_view content;
  bool is_hidden = false;  // "hidden" is there, whatever its value
  bool has_code = false;   // one of those that is_code() names is there
  bool is_bare = true;     // none of them is there but for a style, as of most elements

  // The one of that name, which is in lower case, for who has found it; null for others.
  std::string_view* find(std::string_view name);
  // Whether an attribute of this name, in whatever case, holds code, a document, or a target that is read as text.
  static bool is_code(std::string_view name) {
    // Most names need no more than a look at their length.
    constexpr unsigned lengths = 1U << 2 | 1U << 4 | 1U << 6 | 1U << 8;
    if (name.empty()) return false;
    const bool is_handler = name.size() > 4 && text::lower(name[0]) == 'o' && text::lower(name[1]) == 'n';
    return is_handler || (name.size() <= 8 && (lengths >> name.size() & 1) != 0 && is_named_code(name));
  }
  // False for most names that find() gives null for, in whatever case: so the others need not be in lower case first.
  static bool may_have(std::string_view name);

 private:
  static bool is_named_code(std::string_view name);
  std::string_view* place_of(std::string_view name);
};

class HtmlReading {
 public:
  // Both must outlive this object. What is read is added to `out`.
  HtmlReading(const HtmlLimits& limits, Html& out) : limits_(limits), out_(out) {}

  // A document begins. Its text stands on lines of its own.
  void begin_document() { new_line(); }
  // An element begins. False: what is within does not count; then leave() is not to be called for it.
  bool enter(HtmlTag tag, const HtmlAttributes& attributes);
  // The element that was entered last, and not left so far, ends.
  void leave();
  void text(std::string_view text);
  // The text of a style element.
  void style(std::string_view style);
  void comment(std::string_view comment);

  // What Outlook shows though it stands in a comment; more may come while these are read.
  std::vector<std::string>& conditional() { return conditional_; }

  // A document may turn out to be unfit for who reads it: restore() forgets what was told since mark(). Between two
  // documents only.
  struct Mark {
    Html out;  // without text and links
    std::size_t text = 0;
    std::size_t hidden_text = 0;
    std::size_t links = 0;
    std::size_t conditional = 0;
    bool wants_space = false;
    char hidden_separator = '\0';
  };
  Mark mark() const;
  void restore(const Mark& mark);

 private:
  struct Open {
    HtmlTag tag;
    bool hides;
    std::optional<std::size_t> link;  // whose shown text the element has
    std::size_t text_begin;
  };

  std::optional<std::size_t> add_links(HtmlTag tag, const HtmlAttributes& attributes);
  void add_link(std::string_view target, LinkKind kind) {
    if (!target.empty()) add_written_link(target, kind);
  }
  void add_written_link(std::string_view target, LinkKind kind);
  void add_refresh(const HtmlAttributes& attributes);
  void add_source_set(std::string_view set);
  void add_quoted_targets(std::string_view style);
  void hidden_text(std::string_view text);
  void new_line();

  const HtmlLimits& limits_;
  Html& out_;
  std::vector<std::string> conditional_;
  std::vector<Open> open_;
  std::size_t hidden_ = 0;  // elements around that are hidden
  bool wants_space_ = false;
  char hidden_separator_ = '\0';  // goes before the next hidden word
};

// Without white space at its ends.
std::string_view trim_white_space(std::string_view text);

}  // namespace sallyport::mime
