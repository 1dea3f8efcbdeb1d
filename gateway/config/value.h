// The types of settings: how each is written in TOML, what is refused and with which words, and the way back to text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "gateway/config/config_error.h"
#include "gateway/config/document.h"
#include "gateway/tls/settings.h"
#include "policies/dnsbl/settings.h"

namespace sallyport::config {

enum class Type : std::uint8_t {
  text,          // not empty, no control characters
  word,          // one of Shape::words
  boolean,       //
  integer,       // not negative
  number,        // finite; an integer will do
  duration,      // "5s"
  size,          // "25MiB", or an integer: octets
  rate,          // "300/1h burst 50", or "off"
  networks,      // array of "10.0.0.0/8"
  address,       // "192.0.2.1:25", "[2001:db8::1]:25"
  addresses,     // array of these; the port may be left out where Shape::port says which one is meant
  domain,        // "mx1.example.com", kept in lower case
  domains,       // array of "example.com" and "*.example.com"
  path,          // relative ones count from the file that names them
  globs,         // array of file names with * and ?, as written
  reply_ranges,  // array of "127.0.0.2-127.0.0.11"
  certificates,  // a directory, { chain = , key = }, or an array of these
  log_target,    // "stderr", "journal" or "file:/path"
};

using Value = std::variant<bool, std::uint64_t, double, std::string, Duration, std::optional<Rate>, SocketAddress,
                           std::vector<SocketAddress>, std::vector<std::string>, std::vector<IpNetwork>,
                           std::vector<policies::ReplyRange>, std::vector<tls::CertificateFiles>>;

// What the value of one key must look like.
struct Shape {
  Type type = Type::text;
  std::span<const std::string_view> words;  // of Type::word
  std::string_view least;                   // smallest and largest value, written as the value is; empty: no bound
  std::string_view most;
  bool may_be_empty = false;  // of texts, domains and paths: "" means "not set"
  std::uint16_t port = 0;     // of Type::addresses: meant where none is written; 0: it must be written
};

// The value that `node` stands for, or nothing, and then each thing that is wrong is in `errors`. Relative paths count
// from `directory`.
std::optional<Value> parse_value(const Node& node, const Shape& shape, const std::string& directory,
                                 ConfigErrors& errors);

// As parse_value() reads it again.
std::string to_toml(const Value& value, Type type);
// A TOML string in its quotes.
std::string quote(std::string_view text);

// "duration", "list of networks" ...
std::string_view name(Type type);
// What is expected, for error messages and explain: `a duration like "5s"`, `one of "off", "on"`.
std::string expectation(const Shape& shape);
// Whether a value of this type is written as a TOML string.
bool is_written_as_text(Type type);

}  // namespace sallyport::config
