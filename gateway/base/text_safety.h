// Characters that deceive who reads them: the one table of them, for the log, for `explain`, for replies and headers.
//
// A stranger chooses what stands in his name, his record, his reply. With characters that are not seen, or that change
// the order in which their neighbours are shown, a terminal or a ticket shows something else than was written.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::text {

// True for controls (C0, DEL, C1), line and paragraph separators, marks that turn the direction of text around,
// annotation marks, and what Unicode calls default ignorable: characters without a shape of their own, such as
// zero-width spaces and joiners, variation selectors and tags.
bool is_deceptive(char32_t character);

// The text of a peer on one line, safe to be shown: each deceptive character, and each octet that is not part of a
// well-formed UTF-8 character, becomes '?'.
std::string showable(std::string_view peer_text);

}  // namespace sallyport::text
