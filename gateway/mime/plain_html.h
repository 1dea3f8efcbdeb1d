// Reads HTML whose elements nest as they should, as that of most mails does, without building a tree: twenty times
// faster than gumbo does.
//
// Where HTML's rules for building a tree do more than to open and close elements (misnested formatting, text directly
// in a table, elements that few mails have) this reader gives up, and gumbo reads the document. So what it tells is
// what gumbo would tell; tests compare the two. Linear in the document.
#pragma once

#include <string_view>

#include "gateway/mime/html_reading.h"

namespace sallyport::mime {

// False: the document is not plain, and nothing of it has been told.
bool read_plain_html(std::string_view html, HtmlReading& reading);

}  // namespace sallyport::mime
