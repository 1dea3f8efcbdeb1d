#include "policies/spf/record.h"

#include <algorithm>
#include <optional>
#include <string>

#include "gateway/base/text.h"
#include "policies/spf/macro.h"

namespace sallyport::policies::spf {

namespace {

constexpr std::string_view version = "v=spf1";
constexpr unsigned most_ip4_bits = 32;
constexpr unsigned most_ip6_bits = 128;

bool shares_bits(std::string_view a, std::string_view b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (a.substr(0, whole) != b.substr(0, whole)) return false;
  if (bits % 8 == 0) return true;
  const auto difference = static_cast<std::uint8_t>(a[whole] ^ b[whole]);
  return difference >> (8 - bits % 8) == 0;
}

// A prefix length: decimal, no leading zero, at most `most`.
std::optional<std::uint8_t> read_bits(std::string_view digits, unsigned most) {
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  const auto bits = text::to_number(digits, most);
  if (!bits) return std::nullopt;
  return static_cast<std::uint8_t>(*bits);
}

std::optional<Mechanism> mechanism_of(std::string_view name) {
  struct Known {
    std::string_view name;
    Mechanism mechanism;
  };
  constexpr Known known[] = {{"include", Mechanism::include}, {"ip4", Mechanism::ip4}, {"ip6", Mechanism::ip6},
                             {"all", Mechanism::all},         {"a", Mechanism::a},     {"mx", Mechanism::mx},
                             {"exists", Mechanism::exists},   {"ptr", Mechanism::ptr}};
  for (const Known& one : known) {
    if (text::equals_ignoring_case(name, one.name)) return one.mechanism;
  }
  return std::nullopt;
}

std::optional<AuthResult> result_of_qualifier(char c) {
  switch (c) {
    case '+':
      return AuthResult::pass;
    case '-':
      return AuthResult::fail;
    case '~':
      return AuthResult::softfail;
    case '?':
      return AuthResult::neutral;
    default:
      return std::nullopt;
  }
}

// "name" of a mechanism or modifier: ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ); empty when there is none.
std::string_view leading_name(std::string_view text) {
  if (text.empty() || !text::is_alpha(text.front())) return {};
  const auto end = std::find_if_not(text.begin(), text.end(),
                                    [](char c) { return text::is_alnum(c) || c == '-' || c == '_' || c == '.'; });
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

// ":domain-spec", where it has to be.
bool read_target(std::string_view arguments, Term& term) {
  if (!arguments.starts_with(':')) return false;
  term.target = arguments.substr(1);
  return is_domain_spec(term.target);
}

// The length of the "/24" or "//64" that `text` ends with, `slashes` and all; 0: it does not end with one. A slash is
// also legal in a domain-spec, so only the very end counts.
std::size_t cidr_octets(std::string_view text, std::string_view slashes) {
  std::size_t digits = 0;
  while (digits < text.size() && text::is_digit(text[text.size() - 1 - digits])) ++digits;
  if (digits == 0 || !text.substr(0, text.size() - digits).ends_with(slashes)) return 0;
  return digits + slashes.size();
}

// [":" domain-spec] ["/" ip4 bits] ["//" ip6 bits].
bool read_target_and_bits(std::string_view arguments, Term& term) {
  if (const std::size_t octets = cidr_octets(arguments, "//"); octets > 0) {
    const auto bits = read_bits(arguments.substr(arguments.size() - octets + 2), most_ip6_bits);
    if (!bits) return false;
    term.ip6_bits = *bits;
    arguments.remove_suffix(octets);
  }
  if (const std::size_t octets = cidr_octets(arguments, "/"); octets > 0) {
    const auto bits = read_bits(arguments.substr(arguments.size() - octets + 1), most_ip4_bits);
    if (!bits) return false;
    term.ip4_bits = *bits;
    arguments.remove_suffix(octets);
  }
  return arguments.empty() || read_target(arguments, term);
}

// ":" address ["/" bits].
bool read_network(std::string_view arguments, Term& term) {
  if (!arguments.starts_with(':')) return false;
  arguments.remove_prefix(1);
  const bool is_ip4 = term.mechanism == Mechanism::ip4;
  if (const std::size_t slash = arguments.find('/'); slash != std::string_view::npos) {
    const auto bits = read_bits(arguments.substr(slash + 1), is_ip4 ? most_ip4_bits : most_ip6_bits);
    if (!bits) return false;
    (is_ip4 ? term.ip4_bits : term.ip6_bits) = *bits;
    arguments = arguments.substr(0, slash);
  }
  const bool has_colon = arguments.find(':') != std::string_view::npos;
  const auto address = IpAddress::parse(arguments);
  if (!address || has_colon == is_ip4) return false;
  const std::string_view octets = address->octets();
  auto place = term.network.begin();
  if (!is_ip4 && address->is_v4()) {
    // Written as IPv6, and mapped: the network it is part of is one of IPv6 addresses all the same.
    term.network[10] = term.network[11] = 0xff;
    place += 12;
  }
  std::copy(octets.begin(), octets.end(), place);
  return true;
}

bool read_arguments(std::string_view arguments, Term& term) {
  switch (term.mechanism) {
    case Mechanism::all:
      return arguments.empty();
    case Mechanism::include:
    case Mechanism::exists:
      return read_target(arguments, term);
    case Mechanism::ptr:
      return arguments.empty() || read_target(arguments, term);
    case Mechanism::a:
    case Mechanism::mx:
      return read_target_and_bits(arguments, term);
    case Mechanism::ip4:
    case Mechanism::ip6:
      return read_network(arguments, term);
  }
  return false;
}

Failure wrong(std::string_view what, std::string_view term) {
  constexpr std::size_t most_shown = 80;
  return {std::string(what) + ": " + text::printable(term, most_shown)};
}

// "name=macro-string". Nothing is wrong with a modifier nobody knows (RFC 7208, 6).
Result<Done> read_modifier(std::string_view name, std::string_view value, std::string_view whole, Record& record) {
  const bool is_redirect = text::equals_ignoring_case(name, "redirect");
  if (!is_redirect && !text::equals_ignoring_case(name, "exp")) {
    if (!is_macro_string(value, MacroUse::explanation)) return wrong("bad macro", whole);
    return Done{};
  }
  std::string_view& place = is_redirect ? record.redirect : record.explanation;
  if (!place.empty()) return wrong("given twice", whole);
  if (!is_domain_spec(value)) return wrong("not a domain", whole);
  place = value;
  return Done{};
}

Result<Done> read_term(std::string_view text, Record& record) {
  Term term;
  term.text = text;
  std::string_view rest = text;
  const auto qualifier = result_of_qualifier(rest.front());
  if (qualifier) {
    term.result = *qualifier;
    rest.remove_prefix(1);
  }
  const std::string_view name = leading_name(rest);
  rest.remove_prefix(name.size());
  if (rest.starts_with('=') && !qualifier && !name.empty()) {
    return read_modifier(name, rest.substr(1), text, record);
  }
  const auto mechanism = mechanism_of(name);
  if (!mechanism) return wrong("unknown mechanism", text);
  term.mechanism = *mechanism;
  if (!read_arguments(rest, term)) return wrong("bad mechanism", text);
  if (term.mechanism == Mechanism::all) record.has_all = true;
  record.terms.push_back(term);
  return Done{};
}

}  // namespace

bool Term::network_contains(const IpAddress& client) const {
  if (client.is_v4() != (mechanism == Mechanism::ip4)) return false;
  const std::string_view octets(reinterpret_cast<const char*>(network.data()), network.size());
  return shares_bits(octets, client.octets(), client.is_v4() ? ip4_bits : ip6_bits);
}

bool Term::accepts(const IpAddress& found, const IpAddress& client) const {
  if (found.is_v4() != client.is_v4()) return false;
  return shares_bits(found.octets(), client.octets(), client.is_v4() ? ip4_bits : ip6_bits);
}

bool is_spf_record(std::string_view txt) {
  if (!text::starts_with_ignoring_case(txt, version)) return false;
  return txt.size() == version.size() || txt[version.size()] == ' ';
}

Result<Record> parse_record(std::string_view text) {
  if (text.size() > most_record_octets) return Failure{"the record is longer than 16 KiB"};
  ensure(is_spf_record(text), "parse_record: not an SPF record");
  // Only spaces separate terms (RFC 7208, 4.6.1); nothing but visible ASCII is in them.
  if (!std::all_of(text.begin(), text.end(), text::is_printable)) return Failure{"octets that are not printable ASCII"};
  Record record;
  std::string_view rest = text.substr(version.size());
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (rest.empty()) return record;
    const std::string_view term = rest.substr(0, rest.find(' '));
    if (auto read = read_term(term, record); !read) return read.error();
    rest.remove_prefix(term.size());
  }
}

}  // namespace sallyport::policies::spf
