// Authentication-Results (RFC 8601): who says what about a mail's sender. Read from strangers, written for readers
// behind us.
//
// Reading is linear and bounded, without recursion, and takes what is seen in the wild: values that should have been
// quoted, properties without a type. Writing puts out nothing that a stranger's value could turn into something else
// (threats.md D23).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::mail {

struct AuthProperty {
  std::string type;  // ptype: "smtp", "header"; empty when it was left out
  std::string name;  // "mailfrom", "d"
  std::string value;

  friend bool operator==(const AuthProperty&, const AuthProperty&) = default;
};

struct AuthMethod {
  std::string method;  // "dkim"; lower case when read
  std::string result;  // "pass"; lower case when read
  std::string reason;
  std::string comment;  // written, never read: "2048-bit key"
  std::vector<AuthProperty> properties;

  // The value of the first property of that type and name; nothing when there is none.
  std::optional<std::string_view> value(std::string_view type, std::string_view name) const;
  friend bool operator==(const AuthMethod&, const AuthMethod&) = default;
};

struct AuthResults {
  std::string authserv_id;
  std::vector<AuthMethod> methods;  // empty: "none"

  friend bool operator==(const AuthResults&, const AuthResults&) = default;
};

inline constexpr std::size_t max_auth_methods = 100;     // of one field
inline constexpr std::size_t max_auth_properties = 100;  // of one method

// The value of the field, folding and all. One of nothing but white space and comments has no id and no methods.
// Nothing when it cannot be understood.
std::optional<AuthResults> parse_auth_results(std::string_view value);

// Whether a field says that it is ours (threats.md S38; RFC 8601, 5), however its id is written: case, comments,
// quotes, folding, A-labels or U-labels, whatever version follows.
enum class AuthservOwner : std::uint8_t {
  other,
  ours,
  unreadable,  // its id cannot be told, so nobody may take it for ours
};
AuthservOwner owner_of_auth_results(std::string_view value, const std::vector<std::string>& our_ids);

// What follows the colon, folded, without the last CRLF: " mx.example;\r\n spf=pass ...". An ARC-Authentication-Results
// carries the same after its instance.
std::string auth_results_value(const AuthResults& results);
// The whole field with its CRLF.
std::string make_auth_results(const AuthResults& results);

}  // namespace sallyport::mail
