// Normalises line ends of message content: what DATA and BDAT have in common.
//
// A bare LF becomes CRLF and a bare CR a space, whatever `bare_newline` says: with `reject` the same is done, so that
// what is counted stays bounded, and the faults say that the message must not be relayed (content_refusal.h). Never a
// CR or LF outside a CRLF pair comes out. A NUL passes through and is a fault. append() decodes as the octets stream
// past; a CR at the end of a piece is held until the next.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/smtp/content_sink.h"

namespace sallyport::smtp {

class ContentLines {
 public:
  explicit ContentLines(ContentLimits limits = {}) : limits_(limits) {}

  void append(std::string_view octets, ContentSink& sink);
  // The end of the content: releases a held CR (bare, then) and adds a CRLF when the last line has none (S7).
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
  std::uint64_t line_octets_ = 0;  // of the line in progress, as decoded, without its CRLF
  bool held_cr_ = false;
};

}  // namespace sallyport::smtp
