// ContentLines: normalises the line ends of message content, for BodyReader (DATA) and ChunkReader (BDAT).
//
// A bare LF becomes CRLF and a bare CR a space, in both modes of `bare_newline`: with `reject` the faults tell the
// session at the end that the message must not be relayed (content_refusal.h). The output never contains a CR or LF
// outside a CRLF pair. A NUL passes through and sets a fault. Octets are processed as they arrive; only a CR at the end
// of a piece is held until the next piece.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/smtp/content_sink.h"

namespace sallyport::smtp {

class ContentLines {
 public:
  explicit ContentLines(ContentLimits limits = {}) : limits_(limits) {}

  void append(std::string_view octets, ContentSink& sink);
  // Call it at the end of the content: a held CR is bare and becomes a space; a CRLF is added when the last line has
  // none (S7).
  void finish(ContentSink& sink);
  const ContentFaults& faults() const { return faults_; }
  ContentFaults& faults() { return faults_; }

 private:
  class Span;

  void settle_held_cr(std::string_view& octets, ContentSink& sink);
  void pass_ordinary(std::string_view block);
  const char* pass_mixed(const char* at, const char* block_end, const char* end, Span& span);
  void end_line();

  ContentLimits limits_;
  ContentFaults faults_;
  std::uint64_t line_octets_ = 0;  // length of the current line after decoding, without its CRLF
  bool held_cr_ = false;
};

}  // namespace sallyport::smtp
