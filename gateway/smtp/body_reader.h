// Reads the content after DATA: undoes dot-stuffing, normalises line ends, finds the end (RFC 5321, 4.5.2).
//
// The end is CR LF . CR LF and nothing else: not LF.LF, not CR.CR, none of the look-alikes that let a sender hide a
// second message inside the first (S1, S2). A message may be empty: the dot may be the very first line. Works on pieces
// of any size with the same result and keeps no copy.
//
// Stuffing is undone only where a conforming sender stuffs: at the dot that begins a line after CRLF. A lone dot
// between line ends that are not both CRLF is content and stays: it goes out again as "..".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/smtp/content_lines.h"

namespace sallyport::smtp {

class BodyReader {
 public:
  explicit BodyReader(ContentLimits limits = {}) : lines_(limits) {}

  struct Progress {
    std::size_t consumed = 0;  // octets of `input` that are done with
    bool ended = false;        // the final CRLF . CRLF was read; what follows in `input` is the next command
  };
  // Not to be called again once `ended`: one reader reads one message.
  Progress read(std::string_view input, ContentSink& sink);

  const ContentFaults& faults() const { return lines_.faults(); }

 private:
  // What came last.
  enum class State : std::uint8_t {
    line_start,  // CRLF, or nothing yet: a dot here is stuffing or the end
    dot,         // the dot at a line start, held back
    dot_cr,      // that dot and a CR, both held back
    after_lf,    // a bare LF
    after_cr,    // a CR, bare or not
    lone_dot,    // a dot after a bare CR or LF: passed on, and perhaps a look-alike of the end
    text,        // anything else
    ended,
  };
  static State state_after(const char* begin, const char* end);
  void note_lookalike() { lines_.faults().eod_lookalike = true; }

  ContentLines lines_;
  State state_ = State::line_start;
};

}  // namespace sallyport::smtp
