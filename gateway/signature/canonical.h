// The canonical forms of RFC 6376, 3.4: signatures cover these, so that small changes in transit do not break them.
//
// White space is only SP and HTAB. Only CRLF ends a line: a bare CR or LF is data like any other octet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/mail/header.h"

namespace sallyport::signature {

enum class Canonicalization : std::uint8_t { simple, relaxed };

std::string_view name(Canonicalization canonicalization);

// Appends the field with a CRLF, even if the message ends without one.
void append_canonical(std::string& out, const mail::HeaderField& field, Canonicalization how);
// The relaxed form of a field's value: unfolded, runs of white space one SP, none at the ends (3.4.2).
void append_relaxed_value(std::string& out, std::string_view value);
// The relaxed form of a field's name and its colon.
void append_relaxed_name(std::string& out, std::string_view name);

// Receives the canonical octets, in pieces of any size.
class OctetSink {
 public:
  virtual ~OctetSink() = default;
  virtual void take(std::string_view octets) = 0;
};

// Canonicalizes the body (3.4.3, 3.4.4), which may come in pieces of any size. It holds back only the counts of white
// space and line ends that may turn out to be the last; text goes to the sink in long runs, uncopied.
class BodyCanonicalizer {
 public:
  BodyCanonicalizer(Canonicalization how, OctetSink& sink) : how_(how), sink_(sink) {}

  void feed(std::string_view octets);
  void end();

 private:
  void pass(std::string_view octets);
  std::size_t run_length(std::string_view octets) const;

  Canonicalization how_;
  OctetSink& sink_;
  std::uint64_t line_ends_ = 0;   // line ends held back
  bool white_space_ = false;      // relaxed only: a run of white space is held back; it follows the line ends
  bool carriage_return_ = false;  // the last octet was CR, a line end if LF follows; it follows the white space
  bool has_text_ = false;
};

}  // namespace sallyport::signature
