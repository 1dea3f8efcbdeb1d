#include "policies/api/auth_facts.h"

namespace sallyport::policies {

std::string_view name(AuthResult result) {
  switch (result) {
    case AuthResult::none:
      return "none";
    case AuthResult::neutral:
      return "neutral";
    case AuthResult::pass:
      return "pass";
    case AuthResult::fail:
      return "fail";
    case AuthResult::softfail:
      return "softfail";
    case AuthResult::policy:
      return "policy";
    case AuthResult::temperror:
      return "temperror";
    case AuthResult::permerror:
      return "permerror";
  }
  return "unknown";
}

AuthResult overall(const DkimFacts& facts) {
  if (facts.signatures.empty()) return AuthResult::none;
  for (const DkimFacts::Signature& signature : facts.signatures) {
    if (signature.result == AuthResult::pass) return AuthResult::pass;
  }
  return facts.signatures.front().result;
}

std::string_view name(DmarcDisposition policy) {
  switch (policy) {
    case DmarcDisposition::none:
      return "none";
    case DmarcDisposition::quarantine:
      return "quarantine";
    case DmarcDisposition::reject:
      return "reject";
  }
  return "unknown";
}

}  // namespace sallyport::policies
