#include "gateway/smtp/proxy_header.h"

#include <algorithm>
#include <array>
#include <vector>

#include "gateway/base/text.h"

namespace sallyport::smtp {
namespace {

using namespace std::string_view_literals;

using Header = Result<ProxyHeader, ProxyError>;

constexpr std::string_view v1_prefix = "PROXY ";
constexpr std::size_t v1_most_octets = 107;  // including CRLF
constexpr std::string_view v2_signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t v2_fixed_octets = 16;
constexpr std::size_t v2_most_rest = 4096;

std::uint8_t octet(std::string_view octets, std::size_t at) { return static_cast<std::uint8_t>(octets[at]); }

std::uint16_t be16(std::string_view octets, std::size_t at) {
  return static_cast<std::uint16_t>(octet(octets, at) << 8 | octet(octets, at + 1));
}

// True if `input` begins with `prefix` or may still do so when more arrives.
bool may_begin_with(std::string_view input, std::string_view prefix) {
  return input.substr(0, prefix.size()) == prefix.substr(0, input.size());
}

// A decimal port without leading zeros.
std::optional<std::uint16_t> read_port(std::string_view digits) {
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  const auto port = text::to_number(digits, 65535);
  if (!port) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

std::optional<SocketAddress> read_address(std::string_view address, std::string_view port, bool is_v6) {
  if ((address.find(':') != std::string_view::npos) != is_v6) return std::nullopt;
  const auto ip = IpAddress::parse(address);
  const auto number = read_port(port);
  if (!ip || !number) return std::nullopt;
  return SocketAddress{.ip = *ip, .port = *number};
}

Header read_v1(std::string_view input) {
  const std::string_view window = input.substr(0, v1_most_octets);
  const std::size_t stop = window.find_first_of("\r\n\0"sv);
  if (stop == std::string_view::npos) {
    return window.size() == v1_most_octets ? ProxyError::invalid : ProxyError::incomplete;
  }
  const std::string_view end = window.substr(stop, 2);
  if (end == "\r" && window.size() < v1_most_octets) return ProxyError::incomplete;
  if (end != "\r\n") return ProxyError::invalid;

  ProxyHeader header;
  header.consumed = stop + 2;
  const auto fields = text::split(window.substr(0, stop), ' ');
  const std::string_view family = fields[1];  // exists, because the prefix ends with a space
  if (family == "UNKNOWN") return header;     // the specification says to ignore what follows
  if ((family != "TCP4" && family != "TCP6") || fields.size() != 6) return ProxyError::invalid;
  header.source = read_address(fields[2], fields[4], family == "TCP6");
  header.destination = read_address(fields[3], fields[5], family == "TCP6");
  if (!header.source || !header.destination) return ProxyError::invalid;
  return header;
}

// CRC-32C (RFC 3720, B.4) of `octets`, with the four octets of the checksum itself taken as zero.
std::uint32_t crc32c(std::string_view octets, std::size_t checksum_at) {
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const bool is_checksum = i >= checksum_at && i < checksum_at + 4;
    crc ^= is_checksum ? 0U : octet(octets, i);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

// Checks the TLVs that begin at `at`: each must end within the header, and a checksum must be right.
bool has_good_tlvs(std::string_view header, std::size_t at) {
  constexpr std::uint8_t type_crc32c = 0x03;
  while (at != header.size()) {
    if (header.size() - at < 3) return false;
    const std::uint8_t type = octet(header, at);
    const std::size_t length = be16(header, at + 1);
    at += 3;
    if (header.size() - at < length) return false;
    if (type == type_crc32c) {
      if (length != 4) return false;
      const std::uint32_t said = std::uint32_t{be16(header, at)} << 16 | be16(header, at + 2);
      if (crc32c(header, at) != said) return false;
    }
    at += length;
  }
  return true;
}

IpAddress ip_at(std::string_view header, std::size_t at, bool is_v6) {
  std::array<std::uint8_t, 16> octets{};
  for (std::size_t i = 0; i < (is_v6 ? 16U : 4U); ++i) octets[i] = octet(header, at + i);
  return is_v6 ? IpAddress::v6(octets) : IpAddress::v4({octets[0], octets[1], octets[2], octets[3]});
}

// The length in octets of the address block for a family and transport; nothing for values that the protocol does not
// define.
std::optional<std::size_t> address_octets(std::uint8_t family_and_transport) {
  switch (family_and_transport) {
    case 0x00:
      return 0;  // unspecified
    case 0x11:   // TCP over IPv4
    case 0x12:
      return 12;  // UDP over IPv4
    case 0x21:    // TCP over IPv6
    case 0x22:
      return 36;  // UDP over IPv6
    case 0x31:    // UNIX stream
    case 0x32:
      return 216;  // UNIX datagram
    default:
      return std::nullopt;
  }
}

Header read_v2(std::string_view input) {
  constexpr std::uint8_t local = 0x20;
  constexpr std::uint8_t proxy = 0x21;
  if (input.size() > 12 && octet(input, 12) != local && octet(input, 12) != proxy) return ProxyError::invalid;
  if (input.size() < v2_fixed_octets) return ProxyError::incomplete;
  const std::size_t rest = be16(input, 14);
  if (rest > v2_most_rest) return ProxyError::invalid;
  if (input.size() < v2_fixed_octets + rest) return ProxyError::incomplete;

  const std::string_view octets = input.substr(0, v2_fixed_octets + rest);
  ProxyHeader header;
  header.consumed = octets.size();
  if (octet(octets, 12) == local) return header;  // the specification says to ignore the rest
  const std::uint8_t family = octet(octets, 13);
  const auto block = address_octets(family);
  if (!block || rest < *block) return ProxyError::invalid;
  if (!has_good_tlvs(octets, v2_fixed_octets + *block)) return ProxyError::invalid;
  if (family != 0x11 && family != 0x21) return header;

  const bool is_v6 = family == 0x21;
  const std::size_t ip_octets = is_v6 ? 16 : 4;
  const std::size_t ports = v2_fixed_octets + 2 * ip_octets;
  header.source = SocketAddress{.ip = ip_at(octets, v2_fixed_octets, is_v6), .port = be16(octets, ports)};
  header.destination =
      SocketAddress{.ip = ip_at(octets, v2_fixed_octets + ip_octets, is_v6), .port = be16(octets, ports + 2)};
  return header;
}

// --- Writing

constexpr std::string_view mapped_prefix = "\0\0\0\0\0\0\0\0\0\0\xff\xff"sv;  // RFC 4291, 2.5.5.2

void add_be16(std::string& octets, std::size_t number) {
  octets += static_cast<char>(number >> 8 & 0xff);
  octets += static_cast<char>(number & 0xff);
}

std::string to_v1_text(const IpAddress& ip, bool as_v6) {
  return (as_v6 && ip.is_v4() ? "::ffff:" : "") + ip.to_string();
}

void add_v2_ip(std::string& octets, const IpAddress& ip, bool as_v6) {
  if (as_v6 && ip.is_v4()) octets += mapped_prefix;
  octets += ip.octets();
}

std::string write_v2(char version_and_command, char family, std::string_view addresses) {
  std::string header(v2_signature);
  header += version_and_command;
  header += family;
  add_be16(header, addresses.size());
  header += addresses;
  return header;
}

}  // namespace

Result<ProxyHeader, ProxyError> read_proxy_header(std::string_view input) {
  if (!may_begin_with(input, v1_prefix) && !may_begin_with(input, v2_signature)) return ProxyError::invalid;
  if (input.starts_with(v1_prefix)) return read_v1(input);
  if (input.starts_with(v2_signature)) return read_v2(input);
  return ProxyError::incomplete;
}

bool is_proxy_header(std::string_view octets) {
  return octets.starts_with(v1_prefix) || octets.starts_with(v2_signature);
}

std::string proxy_header(ProxyVersion version, const SocketAddress& source, const SocketAddress& destination) {
  const bool is_v6 = source.ip.is_v6() || destination.ip.is_v6();
  if (version == ProxyVersion::v1) {
    return std::string(v1_prefix) + (is_v6 ? "TCP6 " : "TCP4 ") + to_v1_text(source.ip, is_v6) + " " +
           to_v1_text(destination.ip, is_v6) + " " + std::to_string(source.port) + " " +
           std::to_string(destination.port) + "\r\n";
  }
  std::string addresses;
  add_v2_ip(addresses, source.ip, is_v6);
  add_v2_ip(addresses, destination.ip, is_v6);
  add_be16(addresses, source.port);
  add_be16(addresses, destination.port);
  return write_v2('\x21', is_v6 ? '\x21' : '\x11', addresses);
}

std::string own_proxy_header(ProxyVersion version) {
  if (version == ProxyVersion::v1) return std::string(v1_prefix) + "UNKNOWN\r\n";
  return write_v2('\x20', '\0', {});
}

}  // namespace sallyport::smtp
