// ServerParser: splits what a client sends into command lines (RFC 5321, 2.3.8 and 4.5.2), without copying.
//
// The caller passes all unconsumed input each time; next() tells what it begins with and how many octets that takes.
// The events do not depend on how the input is cut into pieces. Only CRLF ends a line. A bare CR, a bare LF or a NUL
// makes the line `bad`, in an overlong line too, and the session closes (S5). A line over the limit is discarded up to
// its CRLF (S9); 64 KiB without a CRLF are a `flood`. An AUTH line may be longer, up to auth_line_octets. Nothing is
// stored but the beginning of an overlong line, so memory is bounded by the caller's buffer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::smtp {

struct LineEvent {
  enum class Kind : std::uint8_t {
    line,      // `text` is the line without CRLF; it points into the input
    bad,       // bare CR, bare LF or NUL, which is the last octet consumed: 500 5.5.2 and close
    too_long,  // a whole overlong line has passed: 500 5.5.2; `text` is its beginning, enough to tell its verb
    flood,     // 64 KiB without CRLF: 500 5.5.2 and close
  };
  Kind kind = Kind::line;
  std::string_view text;     // of an overlong line it may point into the parser
  std::size_t consumed = 0;  // octets of the input that belong to the event
};

class ServerParser {
 public:
  // The limit includes the CRLF (RFC 5321, 4.5.3.1.4).
  explicit ServerParser(std::size_t max_line_octets = 4096) : max_line_octets_(max_line_octets) {}

  // The event at the beginning of `input`; nothing when more octets are needed. If then `discardable` is not 0, that
  // many octets belong to an overlong line and the caller must consume them to make room. A buffer of max_line_octets
  // or auth_line_octets, whichever is larger, is enough.
  std::optional<LineEvent> next(std::string_view input, std::size_t& discardable);
  // Takes effect from the next line on.
  void set_max_line_octets(std::size_t octets) { max_line_octets_ = octets; }

  // RFC 4954, 4: enough for the longest of all mechanisms, with its CRLF.
  static constexpr std::size_t auth_line_octets = 12288;

 private:
  std::size_t limit_of(std::string_view line) const;
  LineEvent finish(LineEvent::Kind kind, std::size_t consumed);
  void keep_beginning(std::string_view line);

  std::size_t max_line_octets_;
  std::size_t scanned_ = 0;           // octets of the input known to hold neither CR, LF nor NUL
  std::size_t discarded_ = 0;         // octets of the overlong line already gone
  std::array<char, 12> beginning_{};  // of that line; longer than any verb, shorter than any limit
};

}  // namespace sallyport::smtp
