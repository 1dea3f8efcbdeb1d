// Letters: what a text comes to when differences that readers do not see, or do not mean, are taken away: for comparing
// names that a stranger chose with names that people know.
//
// Text is UTF-8; each octet that is not part of a character counts as U+FFFD. Linear, without state; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// The skeleton of Unicode's table of confusable characters (UTS 39, 4): two texts that look alike have equal skeletons,
// "paypal" in Cyrillic letters and in Latin ones. Only for comparing with other skeletons; it is nothing to be shown.
std::string skeleton_of(std::string_view text);

// The text without regard to case, width and ligatures, and without characters that are not seen: NFKC_Casefold (UAX
// 31, 5): "Straße", "STRASSE" and "ｓｔｒａｓｓｅ" are one.
std::string fold_letters(std::string_view text);

// How many characters must be added, removed, replaced or, as neighbours, exchanged to make one text of the other
// (Damerau and Levenshtein). Time and memory are the product of both lengths: callers bound them.
std::size_t letter_distance(std::string_view a, std::string_view b);

// The text with U+FFFD in place of each octet that is not part of a character.
std::string to_valid_utf8(std::string_view text);

}  // namespace sallyport
