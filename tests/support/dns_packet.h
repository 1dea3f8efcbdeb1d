// DnsPacket: builds DNS packets octet by octet, malformed ones too, without using the code under test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/dns/question.h"

namespace sallyport::support {

// Writes "mx.example" as labels with a final zero octet; a label may contain any octet but a dot.
std::string dns_name(std::string_view name);
// A compression pointer to an offset in the packet (RFC 1035, 4.1.4).
std::string dns_pointer(std::uint16_t offset);
std::string dns_number16(std::uint32_t number);
std::string dns_number32(std::uint32_t number);
// A character-string: one octet of length, then the text.
std::string dns_string(std::string_view text);

class DnsPacket {
 public:
  enum class Section { answer, authority, additional };
  static constexpr std::uint16_t header_octets = 12;

  // A response to a query, with its id and its question copied (RD and RA set, rcode 0), without EDNS.
  static DnsPacket reply_to(std::string_view query);
  // A response with this question, for tests that only read it.
  static DnsPacket response(std::string_view name, dns::Type type);
  // A packet that is only a header.
  static DnsPacket bare(std::uint16_t id);

  DnsPacket& id(std::uint16_t id);
  DnsPacket& rcode(unsigned rcode);
  DnsPacket& flags(std::uint16_t flags);  // all sixteen bits
  DnsPacket& truncated();
  // Adds a record with any octets as owner (a name, a pointer) and data.
  DnsPacket& record(Section section, std::string_view owner, std::uint16_t type, std::uint32_t ttl,
                    std::string_view data, std::uint16_t record_class = 1);

  DnsPacket& a(std::string_view owner, std::string_view address, std::uint32_t ttl = 300);
  DnsPacket& aaaa(std::string_view owner, std::string_view address, std::uint32_t ttl = 300);
  DnsPacket& txt(std::string_view owner, std::string_view text, std::uint32_t ttl = 300);
  DnsPacket& mx(std::string_view owner, std::uint16_t preference, std::string_view exchange, std::uint32_t ttl = 300);
  DnsPacket& cname(std::string_view owner, std::string_view target, std::uint32_t ttl = 300);
  DnsPacket& ptr(std::string_view owner, std::string_view target, std::uint32_t ttl = 300);
  DnsPacket& soa(std::string_view owner, std::uint32_t ttl, std::uint32_t minimum);  // in the authority section
  DnsPacket& opt(std::uint32_t ttl_field);  // `ttl_field`: upper rcode bits, version, flags

  const std::string& octets() const { return octets_; }
  // The packet with the length prefix of DNS over TCP.
  std::string framed() const { return dns_number16(static_cast<std::uint32_t>(octets_.size())) + octets_; }

 private:
  std::string octets_;
};

// The question of a query, with the letter case of the name kept.
struct AskedQuestion {
  std::uint16_t id = 0;
  std::string name;
  std::uint16_t type = 0;
  bool has_edns = false;
};
AskedQuestion question_of(std::string_view query);

}  // namespace sallyport::support
