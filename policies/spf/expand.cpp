// The expansion of macros (RFC 7208, 7.3): values, their transformation, and the bounds on what comes out.
#include <algorithm>
#include <chrono>
#include <vector>

#include "gateway/base/text.h"
#include "policies/spf/macro.h"

namespace sallyport::policies::spf {

namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

// "192.0.2.1", or the 32 nibbles of an IPv6 address, the first first: "2.0.0.1.0.D.B.8. ...".
std::string dotted(const IpAddress& ip) {
  if (ip.is_v4()) return ip.to_string();
  std::string out;
  out.reserve(63);
  for (char octet : ip.octets()) {
    const auto value = static_cast<std::uint8_t>(octet);
    if (!out.empty()) out += '.';
    out += hex_digits[value >> 4];
    out += '.';
    out += hex_digits[value & 0xf];
  }
  return out;
}

std::string value_of(char letter, const MacroValues& values) {
  switch (letter) {
    case 's':
      return std::string(values.local).append("@").append(values.sender_domain);
    case 'l':
      return std::string(values.local);
    case 'o':
      return std::string(values.sender_domain);
    case 'd':
      return std::string(values.domain);
    case 'i':
      return dotted(values.ip);
    case 'p':
      return std::string(values.validated);
    case 'v':
      return values.ip.is_v4() ? "in-addr" : "ip6";
    case 'h':
      return std::string(values.helo);
    case 'c':
      return values.ip.to_string();
    case 'r':
      return std::string(values.receiver);
    case 't':
      return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(values.now.time_since_epoch()).count());
    default:
      return {};
  }
}

// Splits at the delimiters, reverses, keeps parts at the right end, and joins with dots.
std::string transform(std::string_view value, const MacroPiece& piece) {
  const std::string_view delimiters = piece.delimiters.empty() ? std::string_view(".") : piece.delimiters;
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = value.find_first_of(delimiters);
    parts.push_back(value.substr(0, end));
    if (end == std::string_view::npos) break;
    value.remove_prefix(end + 1);
  }
  if (piece.reverse) std::reverse(parts.begin(), parts.end());
  std::size_t at = piece.keep > 0 && piece.keep < parts.size() ? parts.size() - piece.keep : 0;
  std::string out(parts[at]);
  while (++at < parts.size()) out.append(".").append(parts[at]);
  return out;
}

// All octets but the unreserved ones of RFC 3986, 2.3.
std::string url_escape(std::string_view value) {
  constexpr std::string_view unreserved = "-._~";
  std::string out;
  for (char c : value) {
    if (text::is_alnum(c) || unreserved.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto octet = static_cast<std::uint8_t>(c);
    out += '%';
    out += hex_digits[octet >> 4];
    out += hex_digits[octet & 0xf];
  }
  return out;
}

void append(std::string& out, const MacroPiece& piece, const MacroValues& values) {
  if (piece.letter == 0) {
    out += piece.text;
    return;
  }
  std::string value = value_of(piece.letter, values);
  if (piece.is_transformed()) value = transform(value, piece);
  out += piece.url_escape ? url_escape(value) : value;
}

}  // namespace

std::optional<std::string> expand_name(std::string_view domain_spec, const MacroValues& values) {
  constexpr std::size_t most_octets = 253;
  // Enough to see a final dot and whether the label at the left edge is whole.
  constexpr std::size_t kept_octets = most_octets + 2;
  std::string name;
  MacroReader reader(domain_spec);
  while (auto piece = reader.next()) {
    append(name, *piece, values);
    // Only the right end can be part of the name: whatever the record repeats, no more than that is kept.
    if (name.size() > 8 * kept_octets) name.erase(0, name.size() - kept_octets);
  }
  if (name.ends_with('.')) name.pop_back();
  if (name.size() > most_octets) {
    const std::size_t dot = name.find('.', name.size() - most_octets - 1);
    if (dot == std::string::npos) return std::nullopt;
    name.erase(0, dot + 1);
  }
  if (!is_name(name)) return std::nullopt;
  for (char& c : name) c = text::lower(c);
  return name;
}

std::string expand_text(std::string_view macro_string, const MacroValues& values, std::size_t most) {
  std::string out;
  MacroReader reader(macro_string);
  while (auto piece = reader.next()) {
    append(out, *piece, values);
    if (out.size() >= most) break;
  }
  out.resize(std::min(out.size(), most));
  return out;
}

}  // namespace sallyport::policies::spf
