// Parses an upstream's replies (RFC 5321, 4.2). They are untrusted input too (threats.md U1, U2, U14).
//
// Like ServerParser it is shown the unconsumed input and stores only the lines of the current reply: at most 128 lines
// and 16 KiB. `malformed` are lines with differing codes, without a code, with a code outside 200-599, or with a bare
// CR, LF or NUL, and a reply beyond those bounds, even before its end is seen. The connection must not be used after
// that; every further call returns `malformed` again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/smtp/reply.h"

namespace sallyport::smtp {

struct UpstreamReply {
  int code = 0;
  std::string enhanced;            // of the first line, if it has one of the same class as the code
  std::vector<std::string> lines;  // text as received, after the code and its separator; enhanced codes included

  bool is_positive() const { return code >= 200 && code < 300; }
  bool is_intermediate() const { return code >= 300 && code < 400; }
  bool is_temporary() const { return code >= 400 && code < 500; }
  bool is_permanent() const { return code >= 500; }
};

enum class ReplyError : std::uint8_t { malformed };

class ReplyParser {
 public:
  struct Progress {
    std::size_t consumed = 0;
    std::optional<UpstreamReply> reply;
  };
  // Takes whole lines from `input`, up to the end of one reply. What is not consumed must be shown again, with more
  // behind it.
  Result<Progress, ReplyError> read(std::string_view input);

 private:
  enum class Line : std::uint8_t { last, more, malformed };
  Line take_line(std::string_view line);

  UpstreamReply partial_;
  std::size_t octets_ = 0;   // octets of the lines stored in partial_
  std::size_t scanned_ = 0;  // octets at the front of the input already searched for the end of the current line
  bool broken_ = false;
};

// The reply that passes an upstream's refusal on to the client (I7): unchanged if it is printable ASCII in lines of at
// most 512 octets, otherwise filtered. An enhanced code of the wrong class is corrected; a missing one is not added.
Reply pass_on(const UpstreamReply& reply);

}  // namespace sallyport::smtp
