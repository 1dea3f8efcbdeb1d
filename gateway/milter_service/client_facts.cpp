#include "gateway/milter_service/client_facts.h"

#include <string>

#include "gateway/base/text.h"
#include "gateway/smtp/path.h"

namespace sallyport::milter_service {

namespace {

constexpr std::string_view ipv6_tag = "IPv6:";

std::optional<IpAddress> address_of(std::string_view text) {
  if (text::starts_with_ignoring_case(text, ipv6_tag)) text.remove_prefix(ipv6_tag.size());
  return IpAddress::parse(text);
}

// Sendmail and Postfix give a name only where it is confirmed, else the address in brackets, or "unknown". A macro with
// the reverse name counts only where Sendmail says beside it that it is confirmed.
std::string name_of(std::string_view host, const MacroValues& macros) {
  if (host.empty() && macros[Macro::client_resolve] == "OK") host = macros[Macro::client_ptr];
  if (host.find('.') == std::string_view::npos || host.front() == '[') return {};
  auto name = smtp::parse_domain(host, false);
  return name ? std::move(*name) : std::string();
}

}  // namespace

policies::Client client_of(const milter::Connect& connect, const MacroValues& macros) {
  policies::Client client;
  client.ip = *IpAddress::parse("127.0.0.1");
  if (connect.address) {
    client.ip = connect.address->ip;
    client.port = connect.address->port;
  } else if (const auto ip = address_of(macros[Macro::client_addr])) {
    client.ip = *ip;
  }
  if (client.port == 0)
    client.port = static_cast<std::uint16_t>(text::to_number(macros[Macro::client_port], UINT16_MAX).value_or(0));
  client.rdns = name_of(connect.host, macros);
  client.fcrdns = !client.rdns.empty();
  client.extended = true;
  return client;
}

std::optional<policies::TlsFacts> tls_of(const MacroValues& macros) {
  if (macros[Macro::tls_version].empty()) return std::nullopt;
  policies::TlsFacts tls;
  tls.version = macros[Macro::tls_version];
  tls.cipher = macros[Macro::cipher];
  tls.bits = static_cast<int>(text::to_number(macros[Macro::cipher_bits], 100000).value_or(0));
  tls.client_subject = macros[Macro::cert_subject];
  tls.client_issuer = macros[Macro::cert_issuer];
  tls.client_is_verified = macros[Macro::verify] == "OK";
  return tls;
}

}  // namespace sallyport::milter_service
