// Reads an upstream's replies (RFC 5321, 4.2), which are a stranger's octets too (threats.md U1, U2, U14).
//
// Like ServerParser it looks at unconsumed input and stores only the lines of the reply in progress: at most 128 lines
// and 16 KiB. Lines with differing codes, without a code, with a code outside 200-599, or with a bare CR, LF or NUL are
// `malformed`; so is a reply past those bounds, before its end is seen. The connection is then of no more use, and the
// parser says so at every further call.
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
  std::string enhanced;            // of the first line, when it has one whose class is the code's
  std::vector<std::string> lines;  // text as it came, after the code and its separator, enhanced codes included

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
  // Takes whole lines from `input`, up to the end of one reply. What is not consumed is to be shown again, with more.
  Result<Progress, ReplyError> read(std::string_view input);
  bool in_the_middle() const { return partial_.code != 0; }

 private:
  enum class Line : std::uint8_t { last, more, malformed };
  Line take_line(std::string_view line);

  UpstreamReply partial_;
  std::size_t octets_ = 0;   // of the lines taken into partial_
  std::size_t scanned_ = 0;  // octets at the front of the input in which the line in progress is known not to end
  bool broken_ = false;
};

// The upstream's refusal as the client gets it (I7): unchanged while it is printable ASCII in lines of at most 512
// octets, else filtered; an enhanced code of the wrong class is corrected, a missing one is not added.
Reply pass_on(const UpstreamReply& reply);

}  // namespace sallyport::smtp
