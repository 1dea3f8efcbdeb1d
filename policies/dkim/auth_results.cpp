#include <string>

#include "policies/dkim/dkim.h"

namespace sallyport::policies {

namespace {

mail::AuthMethod method(AuthResult result) {
  mail::AuthMethod said;
  said.method = "dkim";
  said.result = word(result);
  return said;
}

mail::AuthMethod method(const DkimFacts::Signature& signature) {
  mail::AuthMethod said = method(is_discounted(signature) ? AuthResult::none : signature.result);
  said.reason = signature.reason;
  if (signature.key_bits > 0) said.comment = std::to_string(signature.key_bits) + "-bit key";
  if (signature.testing) said.comment += said.comment.empty() ? "testing" : ", testing";
  const auto add = [&said](const char* property, const std::string& value) {
    if (!value.empty()) said.properties.push_back({"header", property, value});
  };
  add("d", signature.domain);
  add("i", signature.identity);
  add("s", signature.selector);
  add("a", signature.algorithm);
  add("b", signature.b);
  return said;
}

}  // namespace

void dkim_auth_results(const Transaction&, const Facts& facts, mail::AuthResults& out) {
  const DkimFacts* found = facts.find<DkimFacts>();
  if (found == nullptr) return;
  for (const DkimFacts::Signature& signature : found->signatures) out.methods.push_back(method(signature));
  if (found->signatures.empty()) out.methods.push_back(method(AuthResult::none));
}

}  // namespace sallyport::policies
