#include "gateway/http/url.h"

#include <algorithm>
#include <utility>

#include "gateway/base/a_labels.h"
#include "gateway/base/address.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"

namespace sallyport::http {

namespace {

constexpr std::size_t longest_url = 4000;

struct HostAndPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

std::optional<std::string> host_of(std::string_view text) {
  if (IpAddress::parse(text)) return text::to_lower(text);
  if (text.ends_with('.')) text.remove_suffix(1);
  if (is_domain_name(text)) return text::to_lower(text);
  return std::nullopt;
}

// "host", "host:port", "[2001:db8::1]:port".
std::optional<HostAndPort> split_authority(std::string_view text) {
  HostAndPort parts;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto ip = IpAddress::parse(text.substr(1, end - 1));
    if (!ip || ip->is_v4()) return std::nullopt;
    parts.host = ip->to_string();
    text.remove_prefix(end + 1);
    has_port = text.starts_with(':');
    if (!has_port && !text.empty()) return std::nullopt;
    if (has_port) port = text.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
    auto host = host_of(text.substr(0, colon));
    if (!host) return std::nullopt;
    parts.host = std::move(*host);
  }
  if (!has_port) return parts;
  const auto number = text::to_number(port, 65535);
  if (!number || *number == 0) return std::nullopt;
  parts.port = static_cast<std::uint16_t>(*number);
  return parts;
}

std::uint16_t port_of_scheme(bool is_https) { return is_https ? 443 : 80; }

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

// Path and query, whose fragment is dropped.
std::string target_of(std::string_view rest) {
  rest = rest.substr(0, rest.find('#'));
  return rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
}

}  // namespace

std::optional<Url> Url::parse(std::string_view text) {
  if (text.size() > longest_url || !std::all_of(text.begin(), text.end(), is_visible)) return std::nullopt;
  Url url;
  if (text::starts_with_ignoring_case(text, "https://")) {
    text.remove_prefix(8);
  } else if (text::starts_with_ignoring_case(text, "http://")) {
    text.remove_prefix(7);
    url.is_https = false;
  } else {
    return std::nullopt;
  }
  const std::size_t end = std::min(text.find_first_of("/?#\\"), text.size());
  const auto authority = split_authority(text.substr(0, end));
  if (!authority || text.substr(end).starts_with('\\')) return std::nullopt;
  url.host = authority->host;
  url.port = authority->port.value_or(port_of_scheme(url.is_https));
  url.target = target_of(text.substr(end));
  return url;
}

std::optional<Url> Url::resolve(const Url& from, std::string_view reference) {
  if (reference.starts_with("//")) return parse((from.is_https ? "https:" : "http:") + std::string(reference));
  if (reference.starts_with('/')) {
    const std::string origin = (from.is_https ? "https://" : "http://") + from.authority();
    return parse(origin + std::string(reference));
  }
  return parse(reference);
}

std::optional<Url> redirect_target(const Url& from, int status, const std::string* location) {
  const bool is_redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  if (!is_redirect || !location) return std::nullopt;
  auto next = Url::resolve(from, *location);
  return next && from.is_https && !next->is_https ? std::nullopt : next;
}

std::string Url::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  std::string text = is_v6 ? '[' + host + ']' : host;
  if (port != port_of_scheme(is_https)) text += ':' + std::to_string(port);
  return text;
}

std::string Url::to_string() const { return (is_https ? "https://" : "http://") + authority() + target; }

bool is_allowed(const Url& url, std::span<const std::string> hosts) {
  return std::any_of(hosts.begin(), hosts.end(), [&url](const std::string& one) {
    if (IpAddress::parse(one)) return IpAddress::parse(one) == IpAddress::parse(url.host);
    const auto allowed = split_authority(one);
    return allowed && allowed->host == url.host && (!allowed->port || *allowed->port == url.port);
  });
}

bool is_allowed_host(std::string_view text) { return IpAddress::parse(text) || split_authority(text); }

}  // namespace sallyport::http
