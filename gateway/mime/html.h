// HTML as its reader sees it: the text that is shown, and where links, forms and pictures lead. The only place that
// uses gumbo.
//
// Bounded: at most HtmlLimits::source octets are parsed, and the nodes that gumbo makes of them are counted; what is
// beyond is left out, and is_whole is false.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"

namespace sallyport::mime {

// What leads to a link's target.
enum class LinkKind : std::uint8_t {
  anchor,   // <a href>, <area href>, <v:roundrect href>
  form,     // <form action>, formaction
  image,    // src of pictures, film and sound; background; srcset
  frame,    // <iframe src>, <frame src>, <embed src>, <object data>
  refresh,  // <meta http-equiv=refresh>
  base,     // <base href>: the other targets count from it
  style,    // <link href>, url() in styles
  script,   // <script src>
};

struct Link {
  std::string target;  // as written, without character references and white space at its ends
  std::string shown;   // of anchors and forms: their visible text, white space run together; cut at 1 KiB
  LinkKind kind = LinkKind::anchor;
};

struct HtmlLimits {
  std::size_t source = std::size_t{256} * 1024;
  std::size_t text = std::size_t{64} * 1024;
  std::size_t links = 1000;
  std::size_t target = std::size_t{8} * 1024;  // longer targets are cut
};

struct Html {
  // The visible text as UTF-8: blocks on lines of their own, white space run together, no scripts and no styles. Text
  // that is hidden by a style (display:none, font-size:0, visibility:hidden) is left out and counted.
  std::string text;
  std::vector<Link> links;
  // What a style hides, as far as it has room; some readers show it all the same, such as Outlook what is invisible.
  std::string hidden_text;
  std::size_t hidden_octets = 0;  // of text that a style hides, without white space
  bool has_script = false;
  // Scripts, handlers of events, documents in attributes and the like: the source may name targets that are not in
  // `links`.
  bool has_code = false;
  bool has_form = false;
  bool has_password_field = false;
  bool is_whole = true;
};

// Documents whose elements nest as they should are read without a tree (plain_html.h), all others by gumbo.
Html read_html(std::string_view utf8, const HtmlLimits& limits = {});
// The same by gumbo alone, for tests: what read_html() gives of a document is equal to it.
Html read_html_by_tree(std::string_view utf8, const HtmlLimits& limits = {});

}  // namespace sallyport::mime

template <>
inline constexpr auto sallyport::words_of<sallyport::mime::LinkKind> =
    std::to_array<std::string_view>({"anchor", "form", "image", "frame", "refresh", "base", "style", "script"});
