// The results of sender authentication (RFC 8601, 2.7), and the identifiers they are about. DMARC, rates, rules and
// reports use them without knowing the policy that found them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/fields.h"

namespace sallyport {

namespace policies {

// Each method uses a subset of these.
enum class AuthResult : std::uint8_t { none, neutral, pass, fail, softfail, policy, temperror, permerror };

// One domain with a method's result for it.
struct AuthIdentifier {
  enum class Method : std::uint8_t {
    spf_helo,
    spf_mailfrom,
    dkim,
    // What a trusted sealer with a valid chain states of the mail as it came to him: that DMARC passed, or, where he
    // says nothing of DMARC, that a DKIM signature or SPF did.
    arc,
    arc_dkim,
    arc_spf,
  };
  Method method = Method::spf_mailfrom;
  AuthResult result = AuthResult::none;
  std::string domain;     // A-labels, lower case, validated (threats.md D23); of arc and arc_*, the sealer's
  std::string selector;   // of dkim
  unsigned instance = 0;  // of arc and arc_*
  // Of arc: the author's domain whose mail the sealer speaks of. Of arc_dkim and arc_spf: the domain that passed there.
  // In the form of `domain`.
  std::string about = {};
};

}  // namespace policies

template <>
inline constexpr auto words_of<policies::AuthResult> = std::to_array<std::string_view>(
    {"none", "neutral", "pass", "fail", "softfail", "policy", "temperror", "permerror"});

}  // namespace sallyport
