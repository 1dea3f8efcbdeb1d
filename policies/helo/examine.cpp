#include <optional>
#include <string>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "policies/helo/helo.h"

namespace sallyport::policies {

namespace {

// The address in "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321, 4.1.3).
std::optional<IpAddress> read_literal(std::string_view helo) {
  if (!helo.ends_with(']')) return std::nullopt;
  std::string_view address = helo.substr(1, helo.size() - 2);
  constexpr std::string_view ipv6_tag = "IPv6:";
  const bool tagged = text::starts_with_ignoring_case(address, ipv6_tag);
  if (tagged) address.remove_prefix(ipv6_tag.size());
  return IpAddress::parse(address);
}

bool is_localhost(std::string_view name) {
  for (std::string_view local : {"localhost", "localdomain"}) {
    if (text::equals_ignoring_case(name, local)) return true;
    if (text::ends_with_ignoring_case(name, "." + std::string(local))) return true;
  }
  return false;
}

bool is_ours(std::string_view name, const OwnNames& own) {
  return text::equals_ignoring_case(name, own.hostname) || (own.serves && own.serves(text::to_lower(name)));
}

}  // namespace

HeloFinding examine_helo(std::string_view helo, const IpAddress& client, const OwnNames& own) {
  if (helo.starts_with('[')) {
    const auto literal = read_literal(helo);
    if (!literal) return HeloFinding::bad_syntax;
    return *literal == client ? HeloFinding::ok : HeloFinding::literal_of_another;
  }
  if (IpAddress::parse(helo)) return HeloFinding::bare_ip;
  if (helo.ends_with('.')) helo.remove_suffix(1);
  if (!is_domain_name(helo)) return HeloFinding::bad_syntax;
  const bool is_this_machine = client.is_loopback();
  if (is_ours(helo, own)) return is_this_machine ? HeloFinding::ok : HeloFinding::own_name;
  if (is_localhost(helo)) return is_this_machine ? HeloFinding::ok : HeloFinding::localhost;
  return helo.find('.') == std::string_view::npos ? HeloFinding::not_fully_qualified : HeloFinding::ok;
}

}  // namespace sallyport::policies
