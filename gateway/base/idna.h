// Internationalised domain names: from U-labels, as mail writes them (RFC 6531, RFC 8616), to A-labels, as the DNS knows
// them (RFC 5891). The door to libidn2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// The name in A-labels and lower case, without the final dot; of A-labels and plain names that is the name in lower
// case. Nothing for what is no domain name (domain_name.h; underscores are allowed).
std::optional<std::string> to_a_labels(std::string_view name);

}  // namespace sallyport
