// Reads the content after DATA: removes dot-stuffing, normalises line ends, finds the end (RFC 5321, 4.5.2).
//
// Only CR LF . CR LF ends the message: not LF.LF, not CR.CR, nor any similar sequence with which a sender could hide a
// second message inside the first (threats.md S1, S2). A message may be empty: the dot may be the very first line.
// Input may come in pieces of any size, with the same result; no copy is kept.
//
// A dot is removed only where a conforming sender adds one: at the beginning of a line after CRLF. A lone dot between
// line ends that are not both CRLF is content and stays; BodyWriter sends it as "..".
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
    std::size_t consumed = 0;  // octets of `input` that the reader has processed
    bool ended = false;        // the final CRLF . CRLF was read; the rest of `input` is the next command
  };
  // Must not be called again after `ended`: one reader reads one message. Content goes to `sink`.
  Progress read(std::string_view input, ContentSink& sink);

  const ContentFaults& faults() const { return lines_.faults(); }

 private:
  // What the last octets read were.
  enum class State : std::uint8_t {
    line_start,  // CRLF, or nothing yet: a dot here is stuffing or the end
    dot,         // the dot at a line start, held back
    dot_cr,      // that dot and a CR, both held back
    after_lf,    // a bare LF
    after_cr,    // a CR, bare or not
    lone_dot,    // a dot after a bare CR or LF: passed to the sink; may prove to be a look-alike of the end
    text,        // anything else
    ended,
  };
  static State state_after(const char* begin, const char* end);
  void note_lookalike() { lines_.faults().eod_lookalike = true; }

  ContentLines lines_;
  State state_ = State::line_start;
};

}  // namespace sallyport::smtp
