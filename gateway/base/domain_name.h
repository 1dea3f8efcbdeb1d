// Checks domain names of hosts and mail domains: letters, digits, hyphens (and underscores, which occur in practice),
// labels of 1 to 63 octets, 253 octets in total, no final dot.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// True for a name as above. `underscores` allows underscores; `utf8` allows U-labels in valid UTF-8 (RFC 6531).
bool is_domain_name(std::string_view name, bool underscores = true, bool utf8 = false);

// True if `name` equals `pattern` or, for a pattern "*.suffix", lies below the suffix. Case does not matter.
bool domain_matches(std::string_view name, std::string_view pattern);

}  // namespace sallyport
