// Interprets a list's answer (threats.md D8).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/fields.h"
#include "gateway/dns/answer.h"
#include "policies/lists/list_settings.h"

namespace sallyport {

namespace policies {

// Why a list gave no usable answer.
enum class ListFailure : std::uint8_t {
  no_answer,      // no answer, or an unusable one
  list_error,     // it answered with a code that never means a listing
  budget,         // the mail's DNS questions were used up
  set_aside,      // not asked: it did not answer ten times in a row
  failed_test,    // not asked: its test points gave wrong answers
  name_too_long,  // the query name would be too long
  no_time,        // not asked: the time for the mail's look-ups was used up
};

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
  bool is_refusal = false;         // of an error: the list itself does not want to be asked
};

// One error code makes the whole answer an error: a list in trouble is not believed in part.
ListAnswer read_list_answer(const dns::Answer& answer, const std::vector<ReplyRange>& reply);

// True if a code counts as a listing: it is no error and lies in one of the ranges; without ranges, in 127.0.0.2 to
// 127.0.0.254.
bool is_listing_code(const IpAddress& code, const std::vector<ReplyRange>& reply);

}  // namespace policies

template <>
inline constexpr auto words_of<policies::ListFailure> = std::to_array<std::string_view>(
    {"no_answer", "list_error", "budget", "set_aside", "failed_test", "name_too_long", "no_time"});

}  // namespace sallyport
