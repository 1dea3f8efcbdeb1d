// follow(): turns a server's response into an answer: follows CNAMEs through the records and classifies the result (RFC
// 1034, 4.3.2; negative answers RFC 2308). No I/O; TTLs are limited to the constants below.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "gateway/dns/answer.h"
#include "gateway/dns/wire.h"

namespace sallyport::resolver {

inline constexpr unsigned most_links = 8;                      // CNAMEs in one chain (threats.md D3)
inline constexpr std::chrono::seconds most_ttl{86400};         // of positive answers
inline constexpr std::chrono::seconds most_negative_ttl{900};  // D6
inline constexpr std::chrono::seconds plain_negative_ttl{60};  // of negative answers without an SOA

// How far a chain of CNAMEs has been followed.
struct Chain {
  std::string name;  // the name reached so far, in the form of names in a dns::Response
  unsigned links = 0;
  std::chrono::seconds ttl = most_ttl;  // smallest TTL so far
};

// Evaluates the response to a question for `type` at chain.name; its rcode is noerror or nxdomain. Gives the answer; or
// nothing if the chain leads to a name that this response does not cover: chain.name must then be asked next. A CNAME
// loop ends as a chain that is too long: servfail.
std::optional<dns::Answer> follow(const dns::Response& response, dns::Type type, Chain& chain);

}  // namespace sallyport::resolver
