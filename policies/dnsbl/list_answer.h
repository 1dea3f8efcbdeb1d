// What a list's answer means (threats.md D8).
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
  no_hit,     // not listed, or under codes that are not configured
  error,      // the list says something that is never a listing: refused, over quota, hijacked, answering everything
  failed,     // it could not be found out
  not_asked,  // the mail had used up its questions (D6): says nothing about the list
};

struct ListAnswer {
  ListStatus status = ListStatus::no_hit;
  std::vector<std::string> codes;  // of a hit: those that count; of an error: those that are one
};

// One code that is an error makes the whole answer one: a list that is in trouble is not believed in part.
ListAnswer read_list_answer(const dns::Answer& answer, const std::vector<ReplyRange>& reply);

// 127.255.255.0/24 (the lists' own error codes), 127.0.0.1, and whatever lies outside 127.0.0.0/8.
bool is_list_error(const IpAddress& code);

}  // namespace sallyport::policies
