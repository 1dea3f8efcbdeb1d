// Mail that a forwarder has sealed on its way to us (RFC 8617).
#pragma once

#include <string>

#include "gateway/base/ensure.h"
#include "policies/arc/sealer.h"
#include "tests/support/signing_keys.h"
#include "tests/support/table_resolver.h"
#include "tests/support/whole_mail.h"

namespace sallyport::session {

// With one more ARC set on top, by the key that publish_seal_key() makes known. The sealer's DMARC result was `dmarc`,
// and `chain` is what it says that it found of the sets before.
inline std::string sealed(const std::string& message, const std::string& domain, const std::string& dmarc = "pass",
                          policies::AuthResult chain = policies::AuthResult::none) {
  const auto sealer = policies::ArcSealer::make({domain, "arc", "arc.key"}, support::ed25519_key_pem());
  support::WholeMail whole(message);
  policies::ArcFacts found;
  found.result = chain;
  mail::AuthMethod method;
  method.method = "dmarc";
  method.result = dmarc;
  const auto set = sealer->seal(whole.header(), signature::hash_body(whole.body(), policies::ArcSealer::body_form()),
                                found, {"mx." + domain, {method}}, whole.transaction().now);
  ensure(set.has_value(), "a mail that cannot be sealed");
  return *set + message;
}

inline void publish_seal_key(support::DnsZone& zone, const std::string& domain) {
  zone.txt("arc._domainkey." + domain, support::key_record(support::ed25519_key()));
}

}  // namespace sallyport::session
