// Character references of HTML ("&amp;", "&#233;"), those that every reader takes alike.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::mime {

// Adds `text` to `out`, its references resolved. Line ends become "\n". False where it has a reference that is rare or
// malformed; `out` is then of no use.
bool resolve_references(std::string_view text, bool is_attribute, std::string& out);

}  // namespace sallyport::mime
