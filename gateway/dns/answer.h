// Answer: the answer to a DNS question as policies see it: a status and the records of the type asked for, with CNAMEs
// already followed.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/fields.h"
#include "gateway/dns/question.h"

namespace sallyport {

namespace dns {

enum class Status : std::uint8_t {
  ok,        // at least one record
  no_data,   // the name exists but has no record of the type
  nxdomain,  // no such name
  servfail,  // the resolver failed to find out (also: CNAME loop, malformed answer)
  timeout,   // no server answered in time
  budget,    // not asked: the message or session has no questions left (threats.md D6)
};

}  // namespace dns

template <>
inline constexpr auto words_of<dns::Status> =
    std::to_array<std::string_view>({"ok", "no_data", "nxdomain", "servfail", "timeout", "budget"});

namespace dns {

std::string_view name(Status status);

struct Mx {
  std::uint16_t preference = 0;
  std::string exchange;
  friend bool operator==(const Mx&, const Mx&) = default;

  template <class V>
  void fields(V& visit) {
    visit("preference", preference);
    visit("exchange", exchange);
  }
};

// A: IPv4 address. AAAA: IPv6 address. TXT: all character-strings joined. PTR, CNAME, NS: a name. MX: Mx.
using RecordData = std::variant<IpAddress, std::string, Mx>;

struct Answer {
  Status status = Status::servfail;
  std::vector<RecordData> records;
  std::chrono::seconds ttl{};  // the smallest of the CNAME chain; for negative answers from the SOA (RFC 2308)
  bool from_cache = false;

  bool found() const { return status == Status::ok; }
  // True if it is certain that there are no records (no_data, nxdomain).
  bool is_absent() const { return status == Status::no_data || status == Status::nxdomain; }
  bool failed() const { return !found() && !is_absent(); }

  template <class V>
  void fields(V& visit) {
    visit("status", status);
    visit("records", records);
    visit("ttl", ttl);
    visit("from_cache", from_cache);
  }
};

// A question with its answer. Facts keep it, so that a verdict can be explained and replayed.
struct Evidence {
  Question question;
  Answer answer;

  template <class V>
  void fields(V& visit) {
    visit("question", question);
    visit("answer", answer);
  }
};

// For logs and explain: "127.0.0.2", "v=spf1 -all", "10 mx.example.org".
std::string to_string(const RecordData& record);

}  // namespace dns

}  // namespace sallyport
