// Frames content for an upstream: dot-stuffing and the final CRLF . CRLF for DATA (RFC 5321, 4.5.2), or chunk headers
// for BDAT (RFC 3030). It frames from what ContentLines let through, so no octet of the sender's framing survives (I2,
// I3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::smtp {

class BodyWriter {
 public:
  // Appends to `parts` the pieces of `content` as they go on the wire: the content itself, where it lies, with a "."
  // between pieces where a line begins with one. `content` may be any cut of the message; line state runs on. Throws
  // BrokenInvariant at a NUL or a CR or LF outside a pair: the last place to stop what must never be sent (I3).
  void frame(std::string_view content, std::vector<std::string_view>& parts);
  // What ends the message: ".\r\n", after a CRLF if the content did not end in one.
  std::string_view end() const;

 private:
  bool at_line_start_ = true;
  bool after_cr_ = false;
};

// "BDAT 512\r\n" or "BDAT 512 LAST\r\n".
std::string bdat_line(std::uint64_t octets, bool last);

}  // namespace sallyport::smtp
