// Interprets a list's answer (threats.md D8).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/dns/answer.h"
#include "policies/dnsbl/settings.h"

namespace sallyport::policies {

enum class ListStatus : std::uint8_t {
  hit,        // at least one configured code
  no_hit,     // not listed, or only with codes that are not configured
  error,      // an answer that never means a listing: refused, over quota, hijacked, answering everything
  failed,     // there was no usable answer
  not_asked,  // the mail's DNS questions were used up (D6); says nothing about the list
};

struct ListAnswer {
  ListStatus status = ListStatus::no_hit;
  std::vector<std::string> codes;  // for a hit: the codes that count; for an error: the codes that are errors
};

// One error code makes the whole answer an error: a list in trouble is not believed in part.
ListAnswer read_list_answer(const dns::Answer& answer, const std::vector<ReplyRange>& reply);

// True if a code counts as a listing: it is no error and lies in one of the ranges; without ranges, in 127.0.0.2 to
// 127.0.0.254.
bool is_listing_code(const IpAddress& code, const std::vector<ReplyRange>& reply);

}  // namespace sallyport::policies
