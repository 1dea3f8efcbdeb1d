// Decodes the text of a header field for those who read it: encoded words (RFC 2047) in every charset that ICU knows,
// and octets outside ASCII that are not encoded at all.
//
// Words in a row that have one charset are joined before they are decoded: mailers cut them anywhere, also within a
// character or a group of base64. Linear and bounded, whatever the charset.
#pragma once

#include <string>
#include <string_view>

#include "gateway/mail/header.h"

namespace sallyport::mail {

struct DecodedText {
  // One line of UTF-8 in normal form C (RFC 5198, 3): controls that were encoded are spaces, octets that are nothing in
  // their charset are U+FFFD, and words that cannot be decoded stay as they are.
  std::string text;
  std::string problem;  // what could not be decoded, in words, in printable ASCII; empty if everything could
};

// `raw_charset`: of octets outside ASCII that are not encoded, where they are not UTF-8, if it is known
// (declared_charset()); else windows-1252, as readers of mail show them.
DecodedText decode_text(std::string_view value, std::string_view raw_charset = {});

// The text alone.
std::string decode_words(std::string_view value);

// The charset that the Content-Type field names; empty where it names none. A view into the section's octets.
std::string_view declared_charset(const HeaderSection& header);

}  // namespace sallyport::mail
