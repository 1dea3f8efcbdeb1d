// Converts internationalized domain names (RFC 5890) to the form used in the DNS, and back to that which people read.
// The only place that uses libidn2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// The domain with A-labels, in lower case, without a final dot: "Straße.Example." gives "xn--strae-oqa.example". An
// ASCII name is only checked and lowered. Nothing if it is not a domain name or violates IDNA2008.
std::optional<std::string> to_a_labels(std::string_view domain);

// The domain as people read it: "xn--strae-oqa.example" gives "straße.example". Labels that stand for nothing stay as
// they are.
std::string to_u_labels(std::string_view domain);

}  // namespace sallyport
