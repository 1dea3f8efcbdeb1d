// Url: an address of the web, as far as a client of ours asks one: http or https, a host, a port, and what the server
// is asked for (RFC 3986, RFC 9110, 4.2).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::http {

struct Url {
  bool is_https = true;
  std::string host;  // a domain name in lower case, as A-labels, or an IP address without brackets
  std::uint16_t port = 443;
  std::string target = "/";  // path and query, as it stands in the request

  // "https://example.org/x?y=1": only printable ASCII, without user and password; a fragment is dropped. Nothing for
  // what is none of that, or longer than 4000 octets.
  static std::optional<Url> parse(std::string_view text);
  // Where a server at `from` sends us: a whole URL, or one without scheme and host.
  static std::optional<Url> resolve(const Url& from, std::string_view reference);

  // "example.org:8443"; without the port where it is the scheme's own.
  std::string authority() const;
  std::string to_string() const;
};

// A client follows so many redirects in a row.
constexpr int most_redirects = 3;
// Where the answer of a server at `from` to a GET leads on: by its status and its field Location, which may be null.
// Nothing: nowhere, or from https to http.
std::optional<Url> redirect_target(const Url& from, int status, const std::string* location);

// True if one of these allows the URL: "host" allows every port of it, "host:port" this one; IPv6 addresses stand in
// brackets before a port.
bool is_allowed(const Url& url, std::span<const std::string> hosts);
// True for what is_allowed() understands.
bool is_allowed_host(std::string_view text);

}  // namespace sallyport::http
