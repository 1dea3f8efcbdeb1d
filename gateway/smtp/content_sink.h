// ContentSink receives the decoded message content: the octets that are scanned, hashed and sent upstream (threats.md
// I2).
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport::smtp {

class ContentSink {
 public:
  virtual ~ContentSink() = default;
  // Called with as long spans as possible. A CRLF may be split between two calls.
  virtual void append(std::string_view octets) = 0;
};

// What was wrong with the content. The session acts on it at the end of the content, never before (S1-S6, S10).
struct ContentFaults {
  bool bare_lf = false;
  bool bare_cr = false;
  bool nul = false;
  bool line_too_long = false;
  bool eod_lookalike = false;  // a lone dot between line ends that are not CRLF
  bool has_8bit = false;       // not a fault; needed for 8BITMIME (S11)

  friend bool operator==(const ContentFaults&, const ContentFaults&) = default;
};

enum class BareNewline : std::uint8_t { normalize, reject };

struct ContentLimits {
  std::uint64_t max_line_octets =
      std::uint64_t{64} * 1024;  // setting limits.text_line; counts the CRLF, as RFC 5321, 4.5.3.1.6 does
};

}  // namespace sallyport::smtp
