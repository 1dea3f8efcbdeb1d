// What the DNS lists refuse with.
#pragma once

#include <array>

#include "policies/api/reply_text.h"

namespace sallyport::policies::dnsbl_reply {

inline constexpr ReplyText listed{
    550, "5.7.1", "Listed by {}",
    "The client's address is on DNS lists whose scores reach policy.dnsbl.reject_at; the list with the largest is "
    "named. A "
    "list may have a text of its own (policy.dnsbl.zones.*.text).",
    "The sender: have the provider of his server ask for removal at that list. Here: policy.dnsbl.skip, or the list's "
    "score."};

inline constexpr std::array all{listed};

}  // namespace sallyport::policies::dnsbl_reply
