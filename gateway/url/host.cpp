#include "gateway/url/host.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "gateway/base/a_labels.h"
#include "gateway/base/address.h"
#include "gateway/base/charset.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"
#include "gateway/url/percent.h"
#include "gateway/url/punycode.h"

namespace sallyport::url {

namespace {

constexpr std::size_t max_name_octets = 253;
constexpr std::size_t max_label_octets = 63;
constexpr std::size_t max_written_octets = 2048;  // a name of 253 octets, percent-encoded and with invisible characters

std::optional<Host> address_in_brackets(std::string_view written) {
  const std::string_view inside = written.substr(1, written.size() - 2);
  const auto address = IpAddress::parse(inside.substr(0, inside.find('%')));  // without the zone
  if (!address) return std::nullopt;
  return Host{address->to_string(), true};
}

bool is_number(std::string_view label) {
  if (text::starts_with_ignoring_case(label, "0x")) {
    return std::all_of(label.begin() + 2, label.end(), [](char c) {
      const char low = text::lower(c);
      return text::is_digit(c) || (low >= 'a' && low <= 'f');
    });
  }
  return !label.empty() && std::all_of(label.begin(), label.end(), text::is_digit);
}

// One part of an IPv4 address; above 32 bits it is UINT64_MAX. Nothing for 08, which is none in octal.
std::optional<std::uint64_t> part_of_address(std::string_view label) {
  if (!is_number(label)) return std::nullopt;
  unsigned base = 10;
  if (text::starts_with_ignoring_case(label, "0x")) {
    base = 16;
    label.remove_prefix(2);
  } else if (label.size() > 1 && label.front() == '0') {
    base = 8;
  }
  std::uint64_t value = 0;
  for (const char c : label) {
    const auto digit = static_cast<unsigned>(text::is_digit(c) ? c - '0' : text::lower(c) - 'a' + 10);
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
    if (value > UINT32_MAX) return UINT64_MAX;
  }
  return value;
}

// The name must end in a number.
std::optional<Host> address_of_numbers(std::string_view name) {
  const std::vector<std::string_view> parts = text::split(name, '.');
  if (parts.size() > 4) return std::nullopt;
  std::uint64_t address = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = part_of_address(parts[i]);
    if (!part) return std::nullopt;
    const bool is_last = i + 1 == parts.size();
    const auto octets = static_cast<unsigned>(is_last ? 5 - parts.size() : 1);  // that the part stands for
    if (*part >> (8 * octets) != 0) return std::nullopt;
    address = address << (8 * octets) | *part;
  }
  const auto octet = [address](unsigned shift) { return static_cast<std::uint8_t>(address >> shift & 0xff); };
  return Host{IpAddress::v4({octet(24), octet(16), octet(8), octet(0)}).to_string(), true};
}

// Without what is not seen, and with ASCII for its fullwidth forms.
std::optional<std::string> unmasked(std::string_view name, Tricks& tricks) {
  constexpr char32_t ideographic_stop = 0x3002, halfwidth_stop = 0xff61;
  constexpr char32_t first_fullwidth = 0xff01, last_fullwidth = 0xff5e, to_ascii = 0xfee0;
  std::string out;
  while (!name.empty()) {
    const auto character = text::decode_utf8(name);
    if (!character) return std::nullopt;
    const char32_t value = character->value;
    if (text::is_deceptive(value)) {
      add(tricks, Trick::invisible);
    } else if (value == ideographic_stop || value == halfwidth_stop) {
      out += '.';
      add(tricks, Trick::letters);
    } else if (value >= first_fullwidth && value <= last_fullwidth) {
      out += static_cast<char>(value - to_ascii);
      add(tricks, Trick::letters);
    } else {
      out.append(name.substr(0, character->octets));
    }
    name.remove_prefix(character->octets);
  }
  return out;
}

// For names that IDNA2008 forbids: normal form C, ASCII in lower case, punycode.
std::optional<std::string> as_browsers_ask(std::string_view name) {
  std::vector<std::string> labels;
  const std::string normal = to_normal_form(text::to_lower(name));
  for (const std::string_view label : text::split(normal, '.')) {
    auto converted = to_punycode(label);
    if (!converted || converted->empty() || converted->size() > max_label_octets) return std::nullopt;
    labels.push_back(std::move(*converted));
  }
  return text::join(labels, ".");
}

// WHATWG URL, 3.5: what no host may contain.
bool is_forbidden(char c) {
  constexpr std::string_view forbidden = " #/:<>?@[\\]^|%";
  return !text::is_printable(c) || forbidden.find(c) != std::string_view::npos;
}

bool ends_in_number(std::string_view name) { return is_number(name.substr(name.rfind('.') + 1)); }

}  // namespace

std::optional<Host> read_host(std::string_view written, Tricks& tricks) {
  if (written.empty() || written.size() > max_written_octets) return std::nullopt;
  if (written.size() > 2 && written.front() == '[' && written.back() == ']') return address_in_brackets(written);
  std::string name(written);
  if (name.find('%') != std::string::npos) {
    name = percent_decoded(name);
    add(tricks, Trick::encoded);
  }
  auto seen = unmasked(name, tricks);
  if (!seen) return std::nullopt;
  name = std::move(*seen);
  if (name.ends_with('.')) name.pop_back();
  if (name.empty()) return std::nullopt;
  const bool is_plain = text::is_ascii(name);
  auto converted = to_a_labels(name);
  if (!converted) converted = as_browsers_ask(name);
  if (!converted || converted->size() > max_name_octets) return std::nullopt;
  if (!is_plain)
    add(tricks,
        text::is_ascii(*converted) && converted->find("xn--") == std::string::npos ? Trick::letters : Trick::idn);
  if (is_plain && converted->find("xn--") != std::string::npos) add(tricks, Trick::idn);
  if (ends_in_number(*converted)) {
    auto address = address_of_numbers(*converted);
    if (address && address->name != *converted) add(tricks, Trick::ip);
    return address;
  }
  if (std::any_of(converted->begin(), converted->end(), is_forbidden)) return std::nullopt;
  if (!is_domain_name(*converted)) add(tricks, Trick::odd_host);
  return Host{std::move(*converted), false};
}

}  // namespace sallyport::url
