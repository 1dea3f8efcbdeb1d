#include <algorithm>
#include <string>
#include <utility>

#include "policies/dkim/dkim.h"

namespace sallyport::policies {

namespace {

std::string describe(const DkimFacts::Signature& signature) {
  std::string words = signature.domain.empty() ? std::string("a signature") : signature.domain;
  if (!signature.reason.empty()) words += ": " + signature.reason;
  if (!signature.selector.empty()) words += " (selector " + signature.selector + ")";
  return words;
}

// What somebody needs to find out why a signature is no pass.
void add_details(const DkimFacts::Signature& signature, std::vector<std::string>& details) {
  std::string how = signature.algorithm + " " + signature.canonicalization;
  if (signature.testing) how += ", the key is for tests";
  details.push_back(std::move(how));
  if (!signature.body_hash.empty()) details.push_back("body as it came hashes to   " + signature.body_hash);
  if (!signature.header_hash.empty()) details.push_back("header as it came hashes to " + signature.header_hash);
}

}  // namespace

Explained explain_dkim(const Transaction&, const Facts& facts, const DkimSettings&) {
  Explained row;
  const DkimFacts* found = facts.find<DkimFacts>();
  row.result = found != nullptr ? word(overall(*found)) : "not run";
  if (found == nullptr) return row;
  const auto& signatures = found->signatures;
  if (signatures.empty()) {
    row.fact = found->fields_found == 0 ? "the message is not signed" : "no signature was looked at";
    return row;
  }
  const auto decisive = std::find_if(signatures.begin(), signatures.end(),
                                     [](const auto& signature) { return signature.result == AuthResult::pass; });
  row.fact = describe(decisive == signatures.end() ? signatures.front() : *decisive);
  for (const DkimFacts::Signature& signature : signatures) {
    if (signatures.size() > 1) row.details.push_back(std::string(word(signature.result)) + " " + describe(signature));
    if (signature.result != AuthResult::pass) add_details(signature, row.details);
  }
  if (found->fields_found > signatures.size())
    row.details.push_back(std::to_string(found->fields_found - signatures.size()) + " more were not looked at");
  return row;
}

}  // namespace sallyport::policies
