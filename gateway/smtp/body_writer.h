// Frames content for an upstream: dot-stuffing and the final CRLF . CRLF for DATA (RFC 5321, 4.5.2), or chunk headers
// for BDAT (RFC 3030). Its input is what ContentLines produced, so nothing of the sender's framing reaches the upstream
// (I2, I3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::smtp {

class BodyWriter {
 public:
  // Appends to `parts` the pieces to send: views into `content`, with a "." between pieces where a line begins with a
  // dot. `content` may be cut anywhere; the line state carries over to the next call. Throws BrokenInvariant at a NUL
  // or at a CR or LF outside a CRLF pair: this is the last check before the wire (I3).
  void frame(std::string_view content, std::vector<std::string_view>& parts);
  // The end of the message: ".\r\n", after a CRLF if the content did not end with one.
  std::string_view end() const;

 private:
  bool at_line_start_ = true;
  bool after_cr_ = false;
};

// "BDAT 512\r\n" or "BDAT 512 LAST\r\n".
std::string bdat_line(std::uint64_t octets, bool last);

}  // namespace sallyport::smtp
