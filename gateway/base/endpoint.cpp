#include "gateway/base/endpoint.h"

#include <algorithm>
#include <utility>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"

namespace sallyport {

namespace {

constexpr std::string_view unix_prefix = "unix:";

// "10.0.0.300" is a mistyped address, and no top-level domain has only digits.
bool is_host_name(std::string_view text) {
  const std::string_view last = text.substr(text.rfind('.') + 1);
  return is_domain_name(text) && !std::all_of(last.begin(), last.end(), text::is_digit);
}

}  // namespace

Endpoint Endpoint::unix_socket(std::string path) {
  Endpoint endpoint;
  endpoint.path_ = std::move(path);
  return endpoint;
}

Endpoint Endpoint::name(std::string_view host, std::uint16_t port) {
  Endpoint endpoint;
  endpoint.has_address_ = false;
  endpoint.address_.port = port;
  endpoint.host_ = text::to_lower(host);
  return endpoint;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text, std::uint16_t default_port) {
  if (text.starts_with(unix_prefix)) {
    const std::string_view path = text.substr(unix_prefix.size());
    if (path.empty()) return std::nullopt;
    return unix_socket(std::string(path));
  }
  if (const auto address = SocketAddress::parse(text)) {
    if (address->port == 0) return std::nullopt;
    return Endpoint(*address);
  }
  std::string_view bare = text;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') bare = bare.substr(1, bare.size() - 2);
  if (const auto ip = IpAddress::parse(bare)) return Endpoint(SocketAddress{*ip, default_port});

  const std::size_t colon = text.find(':');
  std::string_view host = text.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (!is_host_name(host)) return std::nullopt;
  if (colon == std::string_view::npos) return name(host, default_port);
  const auto port = text::to_number(text.substr(colon + 1), UINT16_MAX);
  if (!port || *port == 0) return std::nullopt;
  return name(host, static_cast<std::uint16_t>(*port));
}

Endpoint Endpoint::at(const IpAddress& ip) const {
  Endpoint found(SocketAddress{ip, address_.port});
  found.host_ = host_;
  return found;
}

std::string Endpoint::certificate_name() const {
  if (is_unix()) return {};
  return host_.empty() ? address_.ip.to_string() : host_;
}

std::string Endpoint::to_string() const {
  if (is_unix()) return std::string(unix_prefix) + path_;
  return is_name() ? host_ + ":" + std::to_string(address_.port) : address_.to_string();
}

}  // namespace sallyport
