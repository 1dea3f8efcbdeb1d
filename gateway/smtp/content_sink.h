// Where decoded message content goes: the octets as they will be scanned, hashed and sent (threats.md I2).
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport::smtp {

class ContentSink {
 public:
  virtual ~ContentSink() = default;
  // Whole spans between line ends where possible; CRLF may be cut between two calls.
  virtual void append(std::string_view octets) = 0;
};

// What was wrong with the content; judged at its end, never in the middle (S1-S6, S10).
struct ContentFaults {
  bool bare_lf = false;
  bool bare_cr = false;
  bool nul = false;
  bool line_too_long = false;
  bool eod_lookalike = false;  // a lone dot between line ends that are not CRLF
  bool has_8bit = false;       // not a fault, but S11 asks

  bool any() const { return bare_lf || bare_cr || nul || line_too_long; }

  friend bool operator==(const ContentFaults&, const ContentFaults&) = default;
};

enum class BareNewline : std::uint8_t { normalize, reject };

struct ContentLimits {
  std::uint64_t max_line_octets =
      std::uint64_t{64} * 1024;  // limits.text_line; with its CRLF, as RFC 5321, 4.5.3.1.6 counts
};

}  // namespace sallyport::smtp
