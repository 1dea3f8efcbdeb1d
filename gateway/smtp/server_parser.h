// Splits what a client sends into command lines (RFC 5321, 2.3.8 and 4.5.2), where they lie in the connection's buffer.
//
// The caller shows all unconsumed input each time; next() says what it begins with and how many octets that takes.
// Shown in pieces of any size, the same input gives the same events. Only CRLF ends a line. A bare CR or LF or a NUL
// makes the line `bad` and ends the conversation (S5), in an overlong line too; a line over the limit is discarded to
// its CRLF (S9), and 64 KiB without one end the conversation. An AUTH line may be as long as its credentials need.
// Nothing is stored, so what a line costs is bounded by the caller's buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::smtp {

struct LineEvent {
  enum class Kind : std::uint8_t {
    line,      // `text` is the line without CRLF; it points into the input
    bad,       // bare CR, bare LF or NUL, the last octet consumed: 500 5.5.2 and close
    too_long,  // a whole overlong line has passed: 500 5.5.2
    flood,     // 64 KiB without CRLF: 500 5.5.2 and close
  };
  Kind kind = Kind::line;
  std::string_view text;
  std::size_t consumed = 0;  // octets of the input that belong to the event
};

class ServerParser {
 public:
  // The limit counts the CRLF, as RFC 5321, 4.5.3.1.4 does.
  explicit ServerParser(std::size_t max_line_octets = 4096) : max_line_octets_(max_line_octets) {}

  // The next event at the beginning of `input`; nothing when more octets are needed. When nothing is returned and
  // `discardable` is not 0, that many octets are of an overlong line and must be consumed to make room. A buffer of
  // max_line_octets or auth_line_octets, whichever is more, is large enough.
  std::optional<LineEvent> next(std::string_view input, std::size_t& discardable);
  // For the lines to come, not for one that is under way.
  void set_max_line_octets(std::size_t octets) { max_line_octets_ = octets; }

  // RFC 4954, 4: what the longest of all mechanisms needs, with its CRLF.
  static constexpr std::size_t auth_line_octets = 12288;

 private:
  std::size_t limit_of(std::string_view line) const;
  LineEvent finish(LineEvent::Kind kind, std::size_t consumed);

  std::size_t max_line_octets_;
  std::size_t scanned_ = 0;    // octets of the input known to hold neither CR, LF nor NUL
  std::size_t discarded_ = 0;  // octets of the overlong line already gone
};

}  // namespace sallyport::smtp
