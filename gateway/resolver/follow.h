// From a server's response to an answer: follows CNAMEs through the records and decides what they mean (RFC
// 1034, 4.3.2; negative answers RFC 2308). Pure; TTLs come out within bounds.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "gateway/dns/answer.h"
#include "gateway/dns/wire.h"

namespace sallyport::resolver {

inline constexpr unsigned most_links = 8;                      // CNAMEs of one chain (threats.md D3)
inline constexpr std::chrono::seconds most_ttl{86400};         // of records
inline constexpr std::chrono::seconds most_negative_ttl{900};  // D6
inline constexpr std::chrono::seconds plain_negative_ttl{60};  // without an SOA

// How far a chain of CNAMEs has been followed.
struct Chain {
  std::string name;  // where it has come to, in the form names of a dns::Response have
  unsigned links = 0;
  std::chrono::seconds ttl = most_ttl;  // the smallest so far
};

// What the response, to a question for `type` at the chain's name, answers; its rcode is noerror or nxdomain. Nothing:
// the chain, at least one link longer, has left what this response knows, and its name is to be asked next. A loop is a
// chain that is too long: servfail.
std::optional<dns::Answer> follow(const dns::Response& response, dns::Type type, Chain& chain);

}  // namespace sallyport::resolver
