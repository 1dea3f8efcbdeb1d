// The text of the 550 that a listed client gets: a sentence of the administrator's with placeholders
// (policy.dnsbl.zones.*.text).
//
//     {list}    the list's public name
//     {ip}      the client's address
//     {domain}  the domain of the sender's address; nothing for <>
//
// What is put in is filtered to printable ASCII, and the whole is no longer than a reply may be (threats.md I7).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policies/api/transaction.h"

namespace sallyport::policies {

inline constexpr std::size_t max_list_text = 300;   // as configured
inline constexpr std::size_t max_reply_text = 400;  // with the values put in

// Why this cannot be such a text; nothing when it can.
std::optional<std::string> objection_to_list_text(std::string_view text);

// An empty text gives "Listed by {list}".
std::string list_reply_text(std::string_view text, std::string_view list, const Transaction& mail);

}  // namespace sallyport::policies
