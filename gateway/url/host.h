// Host: the host of a URL in the form that the DNS knows, whatever form it was written in: as browsers read it (WHATWG
// URL, 3.5), so that a name cannot be hidden from us that a reader's click would reach.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/url/trick.h"

namespace sallyport::url {

struct Host {
  std::string name;  // lower case, A-labels, no final dot; of an address its usual text, IPv6 without brackets
  bool is_ip = false;
};

// Percent-encoding is decoded, characters that are not seen are left out, fullwidth and other forms of letters, digits
// and dots become ASCII, letters beyond ASCII become A-labels, and IPv4 addresses of one to four numbers in decimal,
// octal or hexadecimal become "192.0.2.1". What is unusual is added to `tricks`. Nothing when no host can be meant.
// Characters that hosts do not have ("!", "*") stay: a name with one is asked of the DNS all the same, and ends in its
// owner's domain.
std::optional<Host> read_host(std::string_view written, Tricks& tricks);

}  // namespace sallyport::url
