// The header section as it is sent: what stands on top, and the message's own, less what is removed or changed.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::mail {

struct OutgoingHeader {
  OutgoingHeader() = default;
  OutgoingHeader(OutgoingHeader&&) = default;
  OutgoingHeader& operator=(OutgoingHeader&&) = default;
  // A copy would point into the fields of the original.
  OutgoingHeader(const OutgoingHeader&) = delete;
  OutgoingHeader& operator=(const OutgoingHeader&) = delete;

  std::string added;  // whole fields with CRLF
  // What stands below, in order: octets of the message, and of `rewritten`.
  std::vector<std::string_view> below;
  std::list<std::string> rewritten;  // whole fields in the place of others; a list, so that views stay valid
  // The same once more for who changes fields one by one: the field's place in the message's header section, and what
  // stands there now (of `rewritten`); empty: it is left out.
  struct Edit {
    std::size_t field;
    std::string_view other;
  };
  std::vector<Edit> edits;  // from the top down
  // A whole field, of `rewritten`, that is new, and the place in the message's header section of the field that it
  // stands before; at its end: the number of fields there.
  struct Further {
    std::string_view field;
    std::size_t before;
  };
  std::vector<Further> further;  // from the top down
  bool left_out_forged = false;  // a field that pretended to be ours
  // Something that came is not as it was, or a verdict has added a field. The gateway's trace fields do not count.
  bool is_changed = false;
};

}  // namespace sallyport::mail
