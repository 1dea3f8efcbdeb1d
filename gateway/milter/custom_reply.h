// CustomReply: a refusal in a milter's own words (the answer `y`), taken apart and put together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::milter {

struct CustomReply {
  int code = 0;                    // 400 to 599
  std::string enhanced;            // "5.7.1"; empty when the milter gave none
  std::vector<std::string> lines;  // at least one; without code, enhanced code and CRLF
  friend bool operator==(const CustomReply&, const CustomReply&) = default;
};

// Nothing (threats.md F5: the client hears 451 4.7.1 then) for a code that is not 4xx or 5xx, for lines of different
// codes, for an enhanced code of another class than the code's, and for CR, LF or controls inside a line.
// Every line may repeat the enhanced code. More than 32 lines, or one above 980 octets, are not taken either.
std::optional<CustomReply> parse_custom_reply(std::string_view text);

// As on the wire; `%` is doubled.
std::string to_wire(const CustomReply& reply);

}  // namespace sallyport::milter
