// Messages that a forwarder has sealed with ARC on their way to us (RFC 8617).
#pragma once

#include <string>

#include "gateway/base/ensure.h"
#include "policies/arc/sealer.h"
#include "tests/support/signing_keys.h"
#include "tests/support/table_resolver.h"
#include "tests/support/whole_mail.h"

namespace sallyport::session {

// The message with one more ARC set on top, sealed with the key that publish_seal_key() publishes. `dmarc` is the DMARC
// result that the sealer states of example.org, `chain` the state of the earlier sets that it states.
inline std::string sealed(const std::string& message, const std::string& domain, const std::string& dmarc = "pass",
                          policies::AuthResult chain = policies::AuthResult::none) {
  const auto sealer = policies::ArcSealer::make({domain, "arc", "arc.key"}, support::ed25519_key_pem());
  support::WholeMail whole(message);
  policies::ArcFacts found;
  found.result = chain;
  policies::Facts facts;
  facts.put(found);
  mail::AuthMethod method;
  method.method = "dmarc";
  method.result = dmarc;
  method.properties = {{"header", "from", "example.org"}};
  const mail::AuthResults results{"mx." + domain, {method}};
  const std::vector<signature::BodyHash> hashes{signature::hash_body(whole.body(), sealer->body_form())};
  const auto set = sealer->seal({whole.header(), hashes, facts, results, whole.transaction().now});
  ensure(set.has_value(), "a mail that cannot be sealed");
  return *set + message;
}

inline void publish_seal_key(support::DnsZone& zone, const std::string& domain) {
  zone.txt("arc._domainkey." + domain, support::key_record(support::ed25519_key()));
}

}  // namespace sallyport::session
