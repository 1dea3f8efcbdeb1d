#include "tests/support/dns_packet.h"

#include "gateway/base/address.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"

namespace sallyport::support {

namespace {

constexpr std::uint16_t response_flags = 0x8180;  // QR, RD, RA

std::uint16_t read16(std::string_view octets, std::size_t at) {
  ensure(at + 2 <= octets.size(), "DnsPacket: the packet is too short");
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(octets[at]) << 8 |
                                    static_cast<std::uint8_t>(octets[at + 1]));
}

void write16(std::string& octets, std::size_t at, std::uint16_t number) { octets.replace(at, 2, dns_number16(number)); }

std::size_t end_of_question_name(std::string_view query) {
  std::size_t at = DnsPacket::header_octets;
  while (at < query.size() && query[at] != 0) at += 1u + static_cast<std::uint8_t>(query[at]);
  return at + 1;
}

std::string address_octets(std::string_view address) {
  auto parsed = IpAddress::parse(address);
  ensure(parsed.has_value(), "DnsPacket: not an address");
  return std::string(parsed->octets());
}

}  // namespace

std::string dns_name(std::string_view name) {
  std::string wire;
  if (!name.empty()) {
    for (std::string_view label : text::split(name, '.')) wire += dns_string(label);
  }
  return wire + '\0';
}

std::string dns_pointer(std::uint16_t offset) { return dns_number16(0xc000u | offset); }

std::string dns_number16(std::uint32_t number) { return {static_cast<char>(number >> 8), static_cast<char>(number)}; }

std::string dns_number32(std::uint32_t number) { return dns_number16(number >> 16) + dns_number16(number); }

std::string dns_string(std::string_view text) {
  ensure(text.size() < 256, "DnsPacket: a character-string of more than 255 octets");
  return static_cast<char>(text.size()) + std::string(text);
}

DnsPacket DnsPacket::reply_to(std::string_view query) {
  DnsPacket packet = bare(read16(query, 0));
  std::size_t end = end_of_question_name(query) + 4;
  packet.octets_ += query.substr(header_octets, end - header_octets);
  write16(packet.octets_, 4, 1);
  return packet;
}

DnsPacket DnsPacket::response(std::string_view name, dns::Type type) {
  DnsPacket packet = bare(0);
  packet.octets_ += dns_name(name) + dns_number16(static_cast<std::uint16_t>(type)) + dns_number16(1);
  write16(packet.octets_, 4, 1);
  return packet;
}

DnsPacket DnsPacket::bare(std::uint16_t id) {
  DnsPacket packet;
  packet.octets_ = dns_number16(id) + dns_number16(response_flags) + std::string(8, '\0');
  return packet;
}

DnsPacket& DnsPacket::id(std::uint16_t id) {
  write16(octets_, 0, id);
  return *this;
}

DnsPacket& DnsPacket::rcode(unsigned rcode) {
  return flags(static_cast<std::uint16_t>((read16(octets_, 2) & 0xfff0u) | rcode));
}

DnsPacket& DnsPacket::flags(std::uint16_t flags) {
  write16(octets_, 2, flags);
  return *this;
}

DnsPacket& DnsPacket::truncated() { return flags(read16(octets_, 2) | 0x0200); }

DnsPacket& DnsPacket::record(Section section, std::string_view owner, std::uint16_t type, std::uint32_t ttl,
                             std::string_view data, std::uint16_t record_class) {
  octets_ += owner;
  octets_ += dns_number16(type) + dns_number16(record_class) + dns_number32(ttl);
  octets_ += dns_number16(static_cast<std::uint32_t>(data.size()));
  octets_ += data;
  std::size_t count = 6 + 2 * static_cast<std::size_t>(section);
  write16(octets_, count, static_cast<std::uint16_t>(read16(octets_, count) + 1));
  return *this;
}

DnsPacket& DnsPacket::a(std::string_view owner, std::string_view address, std::uint32_t ttl) {
  return record(Section::answer, dns_name(owner), 1, ttl, address_octets(address));
}

DnsPacket& DnsPacket::aaaa(std::string_view owner, std::string_view address, std::uint32_t ttl) {
  return record(Section::answer, dns_name(owner), 28, ttl, address_octets(address));
}

DnsPacket& DnsPacket::txt(std::string_view owner, std::string_view text, std::uint32_t ttl) {
  return record(Section::answer, dns_name(owner), 16, ttl, dns_string(text));
}

DnsPacket& DnsPacket::mx(std::string_view owner, std::uint16_t preference, std::string_view exchange,
                         std::uint32_t ttl) {
  return record(Section::answer, dns_name(owner), 15, ttl, dns_number16(preference) + dns_name(exchange));
}

DnsPacket& DnsPacket::cname(std::string_view owner, std::string_view target, std::uint32_t ttl) {
  return record(Section::answer, dns_name(owner), 5, ttl, dns_name(target));
}

DnsPacket& DnsPacket::ptr(std::string_view owner, std::string_view target, std::uint32_t ttl) {
  return record(Section::answer, dns_name(owner), 12, ttl, dns_name(target));
}

DnsPacket& DnsPacket::soa(std::string_view owner, std::uint32_t ttl, std::uint32_t minimum) {
  std::string data = dns_name("ns.example") + dns_name("hostmaster.example");
  for (std::uint32_t number : {2026u, 7200u, 3600u, 1209600u, minimum}) data += dns_number32(number);
  return record(Section::authority, dns_name(owner), 6, ttl, data);
}

DnsPacket& DnsPacket::opt(std::uint32_t ttl_field) {
  return record(Section::additional, dns_name(""), 41, ttl_field, "", 1232);
}

AskedQuestion question_of(std::string_view query) {
  AskedQuestion question;
  question.id = read16(query, 0);
  std::size_t end = end_of_question_name(query);
  for (std::size_t at = DnsPacket::header_octets; at + 1 < end;) {
    std::size_t length = static_cast<std::uint8_t>(query[at]);
    if (!question.name.empty()) question.name += '.';
    question.name += query.substr(at + 1, length);
    at += 1 + length;
  }
  question.type = read16(query, end);
  question.has_edns = read16(query, 10) > 0;
  return question;
}

}  // namespace sallyport::support
