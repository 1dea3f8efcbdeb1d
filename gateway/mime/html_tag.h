// HtmlTag: the names of HTML elements that matter to how a document nests, or to what is read of it. All other names
// are `other`.
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport::mime {

enum class HtmlTag : std::uint8_t {
  other,
  // Of the document.
  html,
  head,
  body,
  title,
  script,
  style,
  // Blocks that end by themselves.
  p,
  li,
  dd,
  dt,
  // Headings, forms, other blocks.
  heading,
  form,
  block,        // of which nothing is to be known but that they are blocks: div, ul, center ...
  plain_block,  // the same, shown without a line of its own: nav, aside ...
  // Tables.
  table,
  row_group,
  tr,
  cell,
  colgroup,
  col,
  // Elements that style their text.
  anchor,
  formatting,
  // Elements without content.
  br,
  hr,
  base,
  link,
  meta,
  input,
  embed,
  frame,
  empty,  // of which nothing more is to be known: img, area, wbr ...
  // Read only by gumbo.
  iframe,
  object,
  difficult,
};

// Of a name in lower case. All headings are one; cells are td and th, row groups tbody, thead and tfoot.
HtmlTag tag_of(std::string_view name);

// Whether it begins and ends a line of the text that is shown.
bool is_block(HtmlTag tag);

}  // namespace sallyport::mime
