// Internationalized domain names (RFC 5890) in the form the DNS knows. The door to libidn2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// The domain with A-labels, in lower case and without a final dot: "Straße.Example." is "xn--strae-oqa.example". What
// is ASCII is only checked and lowered. Nothing for what is no domain name, or breaks IDNA2008.
std::optional<std::string> to_a_labels(std::string_view domain);

}  // namespace sallyport
