#include "gateway/smtp/xclient.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/smtp/command.h"
#include "gateway/smtp/xtext.h"

namespace sallyport::smtp {
namespace {

using namespace std::string_view_literals;
using enum ClientAttribute;

// In the order in which XCLIENT commands have them: ADDR last.
constexpr std::array attribute_names = {
    std::pair{helo, "HELO"sv},         std::pair{proto, "PROTO"sv},       std::pair{login, "LOGIN"sv},
    std::pair{destaddr, "DESTADDR"sv}, std::pair{destport, "DESTPORT"sv}, std::pair{ident, "IDENT"sv},
    std::pair{source, "SOURCE"sv},     std::pair{port, "PORT"sv},         std::pair{name, "NAME"sv},
    std::pair{addr, "ADDR"sv},
};

constexpr std::string_view unavailable_word = "[UNAVAILABLE]";
constexpr std::string_view temporarily_word = "[TEMPUNAVAIL]";
constexpr std::string_view v6_prefix = "IPV6:";
constexpr std::size_t most_value_octets = 255;

std::optional<ClientAttribute> find_attribute(std::string_view word) {
  for (const auto& [attribute, attribute_name] : attribute_names)
    if (text::equals_ignoring_case(attribute_name, word)) return attribute;
  return std::nullopt;
}

// --- Reading

std::optional<IpAddress> read_ip(std::string_view value) {
  const bool is_v6 = text::starts_with_ignoring_case(value, v6_prefix);
  if (is_v6) value.remove_prefix(v6_prefix.size());
  if ((value.find(':') != std::string_view::npos) != is_v6) return std::nullopt;
  return IpAddress::parse(value);
}

std::optional<std::uint16_t> read_port(std::string_view value) {
  const auto number = text::to_number(value, 65535);
  if (!number) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::optional<std::string> read_host_name(std::string_view value) {
  if (!is_domain_name(value) || IpAddress::parse(value)) return std::nullopt;
  return std::string(value);
}

std::optional<std::string> read_helo(std::string_view value) {
  const auto word = parse_greeting(value);
  if (!word || word->size() != value.size()) return std::nullopt;
  return std::string(*word);
}

std::optional<std::string> read_login(std::string_view value) {
  const bool is_plain = std::all_of(value.begin(), value.end(), text::is_printable);
  if (value.empty() || value.size() > most_value_octets || !is_plain) return std::nullopt;
  return std::string(value);
}

// Sets `field` to what is said by an attribute's value, still as xtext. False if that is nothing valid.
template <class T>
bool read_said(std::string_view xtext, std::optional<T> (*read)(std::string_view), std::optional<Said<T>>& field) {
  if (text::equals_ignoring_case(xtext, unavailable_word)) {
    field = Said<T>(Availability::unavailable);
    return true;
  }
  const auto value = from_xtext(xtext);
  if (!value) return false;
  auto known = read(*value);
  if (known) field = Said<T>(std::move(*known));
  return known.has_value();
}

bool read_attribute(ClientAttribute attribute, std::string_view xtext, ClientAttributes& said) {
  switch (attribute) {
    case name:
      if (!text::equals_ignoring_case(xtext, temporarily_word)) return read_said(xtext, read_host_name, said.name);
      said.name = Availability::temporarily_unavailable;
      return true;
    case addr:
      return read_said(xtext, read_ip, said.addr);
    case port:
      return read_said(xtext, read_port, said.port);
    case proto:
      said.extended = text::equals_ignoring_case(xtext, "ESMTP");
      return *said.extended || text::equals_ignoring_case(xtext, "SMTP");
    case helo:
      return read_said(xtext, read_helo, said.helo);
    case login:
      return read_said(xtext, read_login, said.login);
    case destaddr:
      return read_said(xtext, read_ip, said.dest_addr);
    case destport:
      return read_said(xtext, read_port, said.dest_port);
    case ident:
    case source:
      break;
  }
  return false;
}

// --- Writing

std::string to_value(const std::string& value) { return to_xtext(value); }
std::string to_value(std::uint16_t value) { return std::to_string(value); }
std::string to_value(const IpAddress& value) {
  return (value.is_v6() ? std::string(v6_prefix) : std::string()) + value.to_string();
}

template <class T>
std::string to_value(const std::optional<Said<T>>& said) {
  if (!said || said->availability == Availability::unavailable) return std::string(unavailable_word);
  if (said->availability == Availability::temporarily_unavailable) return std::string(temporarily_word);
  return to_value(said->value);
}

std::string value_of(ClientAttribute attribute, const ClientAttributes& said) {
  switch (attribute) {
    case name:
      return to_value(said.name);
    case addr:
      return to_value(said.addr);
    case port:
      return to_value(said.port);
    case proto:
      return said.extended.value_or(true) ? "ESMTP" : "SMTP";
    case helo:
      return to_value(said.helo);
    case login:
      return to_value(said.login);
    case destaddr:
      return to_value(said.dest_addr);
    case destport:
      return to_value(said.dest_port);
    case ident:
      return said.ident ? to_xtext(*said.ident) : std::string(unavailable_word);
    case source:
      return "REMOTE";  // nothing that a gateway relays is local
  }
  return std::string(unavailable_word);
}

std::vector<std::string> commands(std::string_view verb, const ClientAttributes& said, AttributeSet listed) {
  constexpr std::size_t most_octets = 510;  // RFC 5321, 4.5.3.1.4: 512 with CRLF
  std::vector<std::string> lines;
  if (!listed.has(name) && !listed.has(addr)) return lines;
  lines.emplace_back(verb);
  for (const auto& [attribute, attribute_name] : attribute_names) {
    if (!listed.has(attribute)) continue;
    std::string value = value_of(attribute, said);
    // Encoded, the longest values would not fit.
    if (value.size() > most_value_octets) value = unavailable_word;
    const std::string word = " " + std::string(attribute_name) + "=" + value;
    if (lines.back().size() + word.size() > most_octets) lines.emplace_back(verb);
    lines.back() += word;
  }
  for (std::string& line : lines) line += "\r\n";
  return lines;
}

// XFORWARD_README, note 1: after decoding, a value must have nothing that is special in a header.
void hide_special(std::optional<Said<std::string>>& said) {
  if (said && said->is_known() && text::for_header(said->value) != said->value) said = Availability::unavailable;
}

constexpr AttributeSet xforward_attributes = {name, addr, port, proto, helo, ident, source};

AttributeSet common(AttributeSet a, AttributeSet b) {
  AttributeSet both;
  for (const auto& [attribute, attribute_name] : attribute_names)
    if (a.has(attribute) && b.has(attribute)) both.add(attribute);
  return both;
}

}  // namespace

std::string to_attribute_names(AttributeSet attributes) {
  std::string words;
  for (const auto& [attribute, attribute_name] : attribute_names) {
    if (!attributes.has(attribute)) continue;
    if (!words.empty()) words += ' ';
    words += attribute_name;
  }
  return words;
}

AttributeSet read_attribute_names(std::string_view words) {
  AttributeSet attributes;
  for (std::string_view word = text::take_word(words); !word.empty(); word = text::take_word(words))
    if (const auto attribute = find_attribute(word)) attributes.add(*attribute);
  return attributes;
}

Result<ClientAttributes, XclientError> parse_xclient(std::string_view arguments) {
  ClientAttributes said;
  AttributeSet seen;
  for (std::string_view word = text::take_word(arguments); !word.empty(); word = text::take_word(arguments)) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return XclientError::unknown;
    const auto attribute = find_attribute(word.substr(0, equals));
    if (!attribute || !xclient_attributes.has(*attribute)) return XclientError::unknown;
    if (seen.has(*attribute)) return XclientError::repeated;
    seen.add(*attribute);
    if (!read_attribute(*attribute, word.substr(equals + 1), said)) return XclientError::bad_value;
  }
  if (seen.is_empty()) return XclientError::missing;
  return said;
}

std::vector<std::string> xclient_commands(const ClientAttributes& said, AttributeSet listed) {
  return commands("XCLIENT", said, common(listed, xclient_attributes));
}

std::vector<std::string> xforward_commands(const ClientAttributes& said, AttributeSet listed) {
  ClientAttributes fit = said;
  hide_special(fit.name);
  hide_special(fit.helo);
  if (fit.name && fit.name->availability == Availability::temporarily_unavailable)
    fit.name = Availability::unavailable;  // XFORWARD does not know [TEMPUNAVAIL]
  return commands("XFORWARD", fit, common(listed, xforward_attributes));
}

}  // namespace sallyport::smtp
