// The query names of DNS lists (RFC 5782, 2.1 and 2.4), and the names under which lists are shown.
//
// Lists that are sold have the customer's key in the name of their zone ("KEY.zen.dq.spamhaus.net"). The key is a
// secret, and nothing tells it from an ordinary word for certain. So a zone is never shown as it is asked: replies,
// headers, the log, figures and explanations name a list by `name` of its settings, else by public_zone_name().
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::policies {

inline constexpr std::size_t max_list_name = 63;         // of a configured name
inline constexpr std::size_t max_question_octets = 253;  // of a name that DNS can ask for

// The query name for an address of 4 or 16 octets: 192.0.2.1 gives "1.2.0.192.zone", an IPv6 address its 32 nibbles,
// the last first. Nothing when the name would be too long.
std::optional<std::string> list_query_name(std::string_view address_octets, std::string_view zone);

// The zone (lower case) without whatever may be a key: its registrable domain, and the labels to the left of it as long
// as each is a word that lists are commonly called by, such as "zen", "dq" and "bl". Everything from the first other
// label on is left out: "zen.KEY.list.example" gives "list.example".
std::string public_zone_name(std::string_view zone);

}  // namespace sallyport::policies
