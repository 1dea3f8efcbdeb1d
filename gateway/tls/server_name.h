// The host name a client asks for (SNI, RFC 6066, 3), and the table that finds the context for it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::tls {

// The host name in the body of a server_name extension, in lower case, without a final dot. Empty if the body is
// malformed or the name is not a domain name; the client is then served as if it had named none (threats.md T5).
// OpenSSL itself refuses two such cases afterwards, with a fatal alert: a body whose lengths do not fit (decode_error;
// RFC 8446, 6.2), and a name over 255 octets or with a NUL (unrecognized_name).
std::string requested_host(std::string_view extension);

// Maps patterns to places in a list of the caller's: "mx.acme.example", or "*.acme.example" for exactly one label more.
class ServerNames {
 public:
  // False if it is not such a pattern or was added before.
  bool add(std::string_view pattern, std::size_t place);
  // An exact name has precedence over a pattern. `host` as requested_host() gives it.
  std::optional<std::size_t> find(std::string_view host) const;

 private:
  std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace sallyport::tls
