// The name a client asks for (SNI, RFC 6066, 3), and the table that finds what belongs to it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::tls {

// The host name in the body of a server_name extension: in lower case, without a final dot. Empty when the body is
// malformed or what it names is no domain name; then the client is served like one that named nobody (threats.md T5).
// Of these, the library refuses two after us and by itself, with a fatal alert: a body whose lengths do not fit
// (decode_error; RFC 8446, 6.2), and a name over 255 octets or with a NUL in it (unrecognized_name).
std::string requested_host(std::string_view extension);

// Patterns "mx.acme.example" and "*.acme.example" (exactly one label more), each with a place in a list of the
// caller's.
class ServerNames {
 public:
  // False when it is no such pattern, or is there already.
  bool add(std::string_view pattern, std::size_t place);
  // The exact name wins over the pattern. `host` as requested_host() gives it.
  std::optional<std::size_t> find(std::string_view host) const;

 private:
  std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace sallyport::tls
