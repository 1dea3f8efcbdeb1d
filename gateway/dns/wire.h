// DNS packets (RFC 1035, EDNS of RFC 6891): questions written, records read with ldns behind this one door.
//
// Reading is for packets of strangers: bounded, linear in the packet, never throws (threats.md D4).
//
// Names that come out of a packet are in the form of master files (RFC 1035, 5.1): printable ASCII, a dot inside a
// label as "\.", a backslash as "\\", any other octet as "\" and three digits. A name of a Question is plain octets
// between dots. For host names the two are the same.
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

// The packet that asks; without the two length octets of TCP. A name that cannot be put on the wire (a label over 63)
// is an error.
Result<std::string> write_query(const Question& question, const QueryOptions& options);

// True for a name that can be put on the wire: labels of 1 to 63 octets, 253 octets in all. The root, "", is one.
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
  RecordData data;  // names in lower case, no final dot; of an SOA record the primary server
};

struct Response {
  std::uint16_t id = 0;
  bool is_response = false;
  bool is_truncated = false;  // then nothing behind the question was looked at
  bool is_referral = false;   // no answer, but the names of servers that would know
  unsigned opcode = 0;
  Rcode rcode = Rcode::noerror;
  std::string question_name;  // in the case it came in, without the final dot; empty, with type 0, when none was sent
  std::uint16_t question_type = 0;
  std::uint16_t question_class = 0;
  std::vector<Record> answers;                // records of types and classes we do not know are left out
  std::optional<std::uint32_t> negative_ttl;  // from the SOA of the authority section (RFC 2308, 5)
};

enum class PacketError { malformed };
Result<Response, PacketError> read_response(std::string_view packet);

// The name as write_query puts it, case and all, in the form of master files: what an answer's question must repeat.
std::string apply_case(std::string_view name, std::uint64_t case_bits);

}  // namespace sallyport::dns
