// Authentication-Results (RFC 8601): parses the fields that others have added to a mail and writes ours.
//
// Parsing is linear and bounded, without recursion, and accepts common deviations: values that should have been quoted,
// properties without a type. Writing filters all values, so that a value from outside cannot end the field or add a
// result to it (threats.md D23).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::mail {

struct AuthProperty {
  std::string type;  // ptype: "smtp", "header"; empty if left out
  std::string name;  // "mailfrom", "d"
  std::string value;

  friend bool operator==(const AuthProperty&, const AuthProperty&) = default;
};

struct AuthMethod {
  std::string method;  // "dkim"; lower case when read
  std::string result;  // "pass"; lower case when read
  std::string reason;
  std::string comment;  // only written, never parsed: "2048-bit key"
  std::vector<AuthProperty> properties;

  // The value of the first property with this type and name; nothing if there is none.
  std::optional<std::string_view> value(std::string_view type, std::string_view name) const;
  friend bool operator==(const AuthMethod&, const AuthMethod&) = default;
};

struct AuthResults {
  std::string authserv_id;
  std::vector<AuthMethod> methods;  // empty: "none"

  friend bool operator==(const AuthResults&, const AuthResults&) = default;
};

inline constexpr std::size_t max_auth_methods = 100;     // of one field
inline constexpr std::size_t max_auth_properties = 100;  // of one method; more are passed over

// Parses the field's value, with or without folding. A value of only white space and comments gives no id and no
// methods. Nothing if it cannot be parsed, or has more than max_auth_methods.
std::optional<AuthResults> parse_auth_results(std::string_view value);
// The same, but keeps only results of the methods named, at most max_auth_methods of them, and passes over as many
// others as there are.
std::optional<AuthResults> parse_auth_results(std::string_view value, std::span<const std::string_view> methods);

// Whether a field claims to be ours, so that the session removes it (threats.md S38; RFC 8601, 5). The ids are compared
// without regard to case, comments, quotes, folding, A-labels or U-labels, and version.
enum class AuthservOwner : std::uint8_t {
  other,
  ours,
  unreadable,  // its id cannot be parsed, so no reader will take it for ours
};
AuthservOwner owner_of_auth_results(std::string_view value, const std::vector<std::string>& our_ids);

// The text after the colon, folded, without the last CRLF: " mx.example;\r\n spf=pass ...". An
// ARC-Authentication-Results field has the same text after its instance.
std::string auth_results_value(const AuthResults& results);
// The whole field with its CRLF.
std::string make_auth_results(const AuthResults& results);

}  // namespace sallyport::mail
