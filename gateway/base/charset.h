// Charsets: turns a stranger's octets in one of the charsets that ICU knows into UTF-8, and UTF-8 into its normal form.
// ICU is used here and in letters.h only.
//
// The name of a charset is looked up among the aliases that are built into ICU, and nowhere else: no name opens a file.
// Conversion is linear and bounded, whatever the charset (UTF-7, UTF-16 and those with states included), and a
// converter is open for one text only. ICU keeps its tables in memory once they were used; opening a converter takes
// about a microsecond.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct ConvertedText {
  std::string utf8;
  // False: octets that are nothing in this charset became U+FFFD, or the text was cut.
  bool is_whole = true;
};

// True for names that mail uses ("koi8-r", "GB2312") and their aliases, in any case.
bool is_known_charset(std::string_view name);

// False for charsets in which octets of ASCII letters and marks stand for something else: UTF-16, UTF-7, EBCDIC. True
// for ISO-2022 and HZ, which begin in ASCII, and for names that are not known.
bool keeps_ascii(std::string_view name);

// At most `most` octets of UTF-8; what is beyond is cut off between two characters. Nothing when the charset is not
// known. Some names mean what readers of mail take them for: ISO-8859-1 is windows-1252, GB2312 is GB18030, EUC-KR and
// KS_C_5601-1987 are windows-949.
std::optional<ConvertedText> to_utf8(std::string_view octets, std::string_view charset, std::size_t most);

// The text in normal form C, so that equal letters are equal octets: "e" and a combining accent become "é". What is not
// UTF-8 stays as it is.
std::string to_normal_form(std::string text);

}  // namespace sallyport
