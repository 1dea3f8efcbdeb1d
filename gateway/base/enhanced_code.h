// Enhanced status codes (RFC 3463): class.subject.detail, the class 2, 4 or 5. Replies of SMTP have them, and the refusals
// of milters.
#pragma once

#include <cstddef>
#include <string_view>

namespace sallyport {

// The length of the enhanced code at the beginning of `text`, which must be followed by a space or the end; 0 if there
// is none.
std::size_t enhanced_code_length(std::string_view text);

// True for the classes whose replies carry an enhanced code; replies of other classes never do (RFC 2034, 3).
constexpr bool takes_enhanced_code(int reply_code) {
  return reply_code / 100 == 2 || reply_code / 100 == 4 || reply_code / 100 == 5;
}

// The first digit of a reply code, which is also the class of its enhanced code.
constexpr char class_digit(int reply_code) { return static_cast<char>('0' + reply_code / 100); }

}  // namespace sallyport
