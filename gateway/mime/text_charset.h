// In which charset a text is: what its octets and its HTML say, which may contradict what its part declares.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::mime {

// By the byte order mark at the beginning; empty without one. `mark`: its length.
std::string_view marked_charset(std::string_view octets, std::size_t& mark);
// Of UTF-16 without a mark: every second octet of ASCII text is NUL. Empty: nothing is evident.
std::string_view evident_charset(std::string_view octets);
// Named in HTML: <meta charset=...>, or within <meta content="...; charset=...">. Empty: nowhere.
std::string_view meta_charset(std::string_view html);

// The other charsets in which a reader may take a text of which `head` is the beginning: those in which ASCII is
// something else, such as UTF-16 or UTF-7, where the text is first taken in another one, and "us-ascii", where it is
// first taken in one of these (threats.md M9). Empty for nearly all texts. `declared`: the part's own, the first one
// first.
std::vector<std::string> other_charsets(std::string_view head, std::span<const std::string> declared, bool is_html);

}  // namespace sallyport::mime
