// DNS packets (RFC 1035, EDNS of RFC 6891): writes questions, reads responses. The only place that uses ldns.
//
// Responses are untrusted: reading is bounded, linear in the packet, and never throws (threats.md D4).
//
// Names in a Response are in the form of master files (RFC 1035, 5.1): printable ASCII, a dot inside a label as "\.", a
// backslash as "\\", any other octet as "\" and three digits. The name of a Question is plain octets with dots between
// labels. For host names both forms are the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/dns/answer.h"
#include "gateway/dns/question.h"

namespace sallyport::dns {

struct QueryOptions {
  std::uint16_t id = 0;
  std::uint16_t udp_payload = 1232;  // EDNS buffer size; 0 = no EDNS (D5)
  std::uint64_t case_bits = 0;       // 0x20: bit n makes the nth letter of the name upper case (n modulo 64)
};

// The packet to send, without the two length octets of TCP. Failure if the name is not askable.
Result<std::string> write_query(const Question& question, const QueryOptions& options);

// True for a name that a packet can carry: labels of 1 to 63 octets, 253 octets in total. The root, "", is one.
bool is_askable(std::string_view name);

enum class Rcode : std::uint8_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
  badvers = 16,
  other = 255
};

struct Record {
  std::string owner;  // lower case, no final dot
  Type type = Type::A;
  std::uint32_t ttl = 0;
  RecordData data;  // names in lower case, no final dot; for an SOA record the primary server
};

struct Response {
  std::uint16_t id = 0;
  bool is_response = false;
  bool is_truncated = false;  // records are not read then
  bool is_referral = false;   // no answer, but the names of other servers
  unsigned opcode = 0;
  Rcode rcode = Rcode::noerror;
  std::string question_name;  // in its original case, no final dot; empty, with type 0, if there was no question
  std::uint16_t question_type = 0;
  std::uint16_t question_class = 0;
  std::vector<Record> answers;                // without records of unknown types and classes
  std::optional<std::uint32_t> negative_ttl;  // from the SOA of the authority section (RFC 2308, 5)
};

enum class PacketError { malformed };
Result<Response, PacketError> read_response(std::string_view packet);

// The name as write_query() sends it, with its case, in the form of master files: a response must repeat it as
// question_name.
std::string apply_case(std::string_view name, std::uint64_t case_bits);

}  // namespace sallyport::dns
