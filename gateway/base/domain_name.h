// Domain names as hosts and mail domains are written: letters, digits, hyphens (and underscores, which are seen in the
// wild), labels of 1 to 63 octets, 253 octets in all, no final dot. Kept in lower case.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// True for a name as above. An underscore is allowed only where `underscores` says so; non-ASCII (a U-label, valid
// UTF-8) only where `utf8` does (RFC 6531).
bool is_domain_name(std::string_view name, bool underscores = true, bool utf8 = false);

// True when `name` is `pattern`, or lies below it when the pattern is "*.suffix". Case does not matter.
bool domain_matches(std::string_view name, std::string_view pattern);

}  // namespace sallyport
