#include "gateway/session/auth_results_field.h"

#include <string>
#include <utility>

#include "gateway/session/spf_field.h"

namespace sallyport::session {

namespace {

using mail::AuthMethod;
using policies::AuthResult;

AuthMethod method(std::string_view which, AuthResult result) {
  AuthMethod said;
  said.method = which;
  said.result = name(result);
  return said;
}

AuthMethod iprev(const policies::Transaction& mail, const policies::RdnsFacts& facts, AuthResult result) {
  AuthMethod said = method("iprev", result);
  said.properties.push_back({"policy", "iprev", mail.client.ip.to_string()});
  said.comment = facts.name;
  return said;
}

AuthMethod spf(const policies::SpfCheck& check, std::string_view property, std::string value) {
  AuthMethod said = method("spf", check.result);
  said.reason = check.problem;
  said.properties.push_back({"smtp", std::string(property), std::move(value)});
  return said;
}

AuthMethod dkim(const policies::DkimFacts::Signature& signature) {
  AuthMethod said = method("dkim", signature.result);
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

// RFC 9989, 7.1 and appendix B; the comment in the form that most receivers write.
AuthMethod dmarc(const policies::DmarcFacts& facts) {
  AuthMethod said = method("dmarc", facts.result);
  said.reason = facts.problem;
  if (!facts.published.empty()) {
    said.comment = facts.published + "=" + std::string(name(facts.policy));
    if (!facts.override_reason.empty()) said.comment += ", " + facts.override_reason;
  }
  if (!facts.from_domain.empty()) said.properties.push_back({"header", "from", facts.from_domain});
  if (!facts.published.empty()) said.properties.push_back({"policy", "dmarc", std::string(name(facts.policy))});
  return said;
}

AuthMethod arc(const policies::Transaction& mail, const policies::ArcFacts& facts) {
  AuthMethod said = method("arc", facts.result);
  said.reason = facts.reason;
  if (facts.result == AuthResult::none) return said;
  if (!facts.sets.empty()) said.comment = "i=" + std::to_string(facts.sets.size());
  said.properties.push_back({"smtp", "remote-ip", mail.client.ip.to_string()});
  if (facts.result == AuthResult::pass)
    said.properties.push_back({"header", "oldest-pass", std::to_string(facts.oldest_pass)});
  return said;
}

}  // namespace

mail::AuthResults auth_results_of(const policies::Transaction& mail, const policies::Facts& facts,
                                  std::string_view hostname) {
  mail::AuthResults results;
  results.authserv_id = hostname;
  auto& methods = results.methods;
  if (facts.rdns.result) methods.push_back(iprev(mail, facts.rdns, *facts.rdns.result));
  if (facts.spf.mailfrom)
    methods.push_back(spf(*facts.spf.mailfrom, "mailfrom", checked_sender(mail, *facts.spf.mailfrom)));
  if (facts.spf.helo) methods.push_back(spf(*facts.spf.helo, "helo", facts.spf.helo->domain));
  for (const auto& signature : facts.dkim.signatures) methods.push_back(dkim(signature));
  if (facts.dkim.checked && facts.dkim.signatures.empty()) methods.push_back(method("dkim", AuthResult::none));
  if (facts.dmarc.checked) methods.push_back(dmarc(facts.dmarc));
  if (facts.arc.checked) methods.push_back(arc(mail, facts.arc));
  return results;
}

}  // namespace sallyport::session
