// The query names of DNS lists (RFC 5782, 2.1 and 2.4), and the names under which lists are shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::policies {

// The query name for an address of 4 or 16 octets: 192.0.2.1 gives "1.2.0.192.zone", an IPv6 address its 32 nibbles,
// the last first. Nothing when the name would be too long.
std::optional<std::string> list_query_name(std::string_view address_octets, std::string_view zone);

// The zone's name for replies and the log: without the customer's key that keyed services have in their names
// ("<key>.zen.dq.spamhaus.net").
std::string public_zone_name(std::string_view zone);

}  // namespace sallyport::policies
