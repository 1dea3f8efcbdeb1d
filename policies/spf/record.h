// Reads SPF records (RFC 7208, 4.5, 4.6 and 12). The syntax of the whole record is tested before any term is evaluated.
//
// Reading is linear in the text and without recursion; the result is no larger than a fixed multiple of it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/result.h"
#include "policies/api/auth_result.h"

namespace sallyport::policies::spf {

constexpr std::size_t most_record_octets = std::size_t{16} * 1024;  // threats.md D13

enum class Mechanism : std::uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

struct Term {
  Mechanism mechanism = Mechanism::all;
  AuthResult result = AuthResult::pass;    // of a match: pass, fail, softfail or neutral, as the qualifier says
  std::string_view text;                   // as the record has it: "-include:_spf.example.org"
  std::string_view target;                 // a domain-spec (macro.h); empty: the domain of the record
  std::array<std::uint8_t, 16> network{};  // of ip4 the first four octets
  // Leading bits that an address shares with the network (ip4, ip6) or with an address found (a, mx).
  std::uint8_t ip4_bits = 32;
  std::uint8_t ip6_bits = 128;

  bool asks_dns() const { return mechanism != Mechanism::all && !has_network(); }
  bool has_network() const { return mechanism == Mechanism::ip4 || mechanism == Mechanism::ip6; }
  // Whether `client` is in the network of an ip4 or ip6 term. A mapped address is an IPv4 address: no ip6 term has it.
  bool network_contains(const IpAddress& client) const;
  // Whether `found` is near enough to `client` for an a or mx term.
  bool accepts(const IpAddress& found, const IpAddress& client) const;
};

struct Record {
  std::vector<Term> terms;       // mechanisms, in order
  bool has_all = false;          // then redirect= says nothing
  std::string_view redirect;     // a domain-spec; empty: none
  std::string_view explanation;  // a domain-spec; empty: none
};

// True for a TXT record that says it is an SPF record: "v=spf1", in any case, alone or followed by a space.
bool is_spf_record(std::string_view txt);

// Reads a record for which is_spf_record() holds. The result has views into `text`. The failure says what is wrong, in
// printable ASCII that is fit for a log line.
Result<Record> parse_record(std::string_view text);

}  // namespace sallyport::policies::spf
