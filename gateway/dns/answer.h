// A DNS answer as policies see it: a status, and the records of the type asked for, CNAMEs already followed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/dns/question.h"

namespace sallyport::dns {

enum class Status : std::uint8_t {
  ok,        // at least one record
  no_data,   // the name exists, the type does not
  nxdomain,  // no such name
  servfail,  // the resolver could not find out (also: CNAME loop, malformed answer)
  timeout,   // nobody answered in time
  budget,    // not asked: the message or session has used up its questions (threats.md D6)
};

std::string_view name(Status status);

struct Mx {
  std::uint16_t preference = 0;
  std::string exchange;
  friend bool operator==(const Mx&, const Mx&) = default;
};

// A: v4 address. AAAA: v6 address. TXT: the character-strings joined. PTR, CNAME, NS: a name. MX: Mx.
using RecordData = std::variant<IpAddress, std::string, Mx>;

struct Answer {
  Status status = Status::servfail;
  std::vector<RecordData> records;
  std::chrono::seconds ttl{};  // the smallest of the chain; for negative answers, of the SOA (RFC 2308)
  bool from_cache = false;

  bool found() const { return status == Status::ok; }
  // True when the lack of records is a fact (no_data, nxdomain), not a failure to find out.
  bool is_absent() const { return status == Status::no_data || status == Status::nxdomain; }
  bool failed() const { return !found() && !is_absent(); }
};

// What was asked and what came back: facts keep it, so that a verdict can be explained and replayed.
struct Evidence {
  Question question;
  Answer answer;
};

// "127.0.0.2", "v=spf1 -all", "10 mx.example.org".
std::string to_string(const RecordData& record);

}  // namespace sallyport::dns
