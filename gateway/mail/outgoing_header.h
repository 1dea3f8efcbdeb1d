// The header section as it is sent: what stands on top, and the message's own, less what is removed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::mail {

struct OutgoingHeader {
  std::string added;                       // whole fields with CRLF
  std::vector<std::string_view> original;  // the message's octets, in order; a removed field is a gap between two, and
                                           // an empty piece is the place of `subject`
  std::string subject;                     // a rewritten Subject field, or empty
  bool left_out_forged = false;            // a field that pretended to be ours
  bool is_changed = false;                 // something that came is not as it was; what we add on top does not count
};

}  // namespace sallyport::mail
