// DnsPacket: DNS packets made octet by octet, the malformed ones too, without the code under test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/dns/question.h"

namespace sallyport::support {

// "mx.example" as labels and a final zero octet; labels may hold anything but a dot.
std::string dns_name(std::string_view name);
// A pointer to an offset of the packet.
std::string dns_pointer(std::uint16_t offset);
std::string dns_number16(std::uint32_t number);
std::string dns_number32(std::uint32_t number);
// A character-string with its length.
std::string dns_string(std::string_view text);

class DnsPacket {
 public:
  enum class Section { answer, authority, additional };
  static constexpr std::uint16_t header_octets = 12;

  // A response to a query: its id and question, octet for octet (RD and RA set, rcode 0). EDNS is left out.
  static DnsPacket reply_to(std::string_view query);
  // A response with this question, for tests of reading alone.
  static DnsPacket response(std::string_view name, dns::Type type);
  // Nothing but a header.
  static DnsPacket bare(std::uint16_t id);

  DnsPacket& id(std::uint16_t id);
  DnsPacket& rcode(unsigned rcode);
  DnsPacket& flags(std::uint16_t flags);  // all sixteen
  DnsPacket& truncated();
  // A record with any octets as owner (a name, a pointer) and data.
  DnsPacket& record(Section section, std::string_view owner, std::uint16_t type, std::uint32_t ttl,
                    std::string_view data, std::uint16_t record_class = 1);

  DnsPacket& a(std::string_view owner, std::string_view address, std::uint32_t ttl = 300);
  DnsPacket& aaaa(std::string_view owner, std::string_view address, std::uint32_t ttl = 300);
  DnsPacket& txt(std::string_view owner, std::string_view text, std::uint32_t ttl = 300);
  DnsPacket& mx(std::string_view owner, std::uint16_t preference, std::string_view exchange, std::uint32_t ttl = 300);
  DnsPacket& cname(std::string_view owner, std::string_view target, std::uint32_t ttl = 300);
  DnsPacket& ptr(std::string_view owner, std::string_view target, std::uint32_t ttl = 300);
  DnsPacket& soa(std::string_view owner, std::uint32_t ttl, std::uint32_t minimum);  // in the authority section
  DnsPacket& opt(std::uint32_t ttl_field);                                           // upper code, version, flags

  const std::string& octets() const { return octets_; }
  // As TCP carries it.
  std::string framed() const { return dns_number16(static_cast<std::uint32_t>(octets_.size())) + octets_; }

 private:
  std::string octets_;
};

// What a query asks for, as written: case kept.
struct AskedQuestion {
  std::uint16_t id = 0;
  std::string name;
  std::uint16_t type = 0;
  bool has_edns = false;
};
AskedQuestion question_of(std::string_view query);

}  // namespace sallyport::support
