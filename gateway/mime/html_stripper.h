// Reads HTML that gumbo cannot read within its bounds: by tags alone, without a tree. Linear.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/mime/html.h"

namespace sallyport::mime {

// How deep elements may be nested: for each name, tags that open one less those that close one, all names together.
// Elements that end by themselves (p, li, cells of tables, those without an end) do not count.
std::size_t nesting_of(std::string_view html);

// The document with blanks in place of each attribute that its tag has had before, which counts for nothing (HTML,
// 13.2.5.33): behind one without a value gumbo drops the value of the next attribute, whatever that is. What looks like
// a tag within a script or a style is taken for one. Nothing where no tag has an attribute twice.
std::optional<std::string> without_repeated_attributes(std::string_view html);

// Adds text (whatever stands outside of tags, scripts and styles) and the targets of href, src and action.
void strip(std::string_view html, const HtmlLimits& limits, Html& out);

}  // namespace sallyport::mime
