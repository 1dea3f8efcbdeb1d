// A whole message through the DKIM policy's verifier, its body in pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/log.h"
#include "gateway/signature/body_hash.h"
#include "policies/dkim/verifier.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"
#include "tests/support/whole_mail.h"

namespace sallyport::policies {

inline const PublicSuffixList& public_suffixes() {
  static const PublicSuffixList list;
  return list;
}

struct DkimWorld {
  DkimWorld() = default;
  explicit DkimWorld(support::DnsZone zone) : resolver(std::move(zone)) {}

  // `sizes`: of the pieces the body comes in, over and over; 0 is the whole rest.
  DkimFacts verify(std::string_view message, const std::vector<std::size_t>& sizes = {0}) {
    support::WholeMail mail(message);
    signature::BodyHasher hasher(DkimVerifier::body_forms(verifier.read_signatures(mail.header())));
    std::string_view rest = mail.body();
    for (std::size_t i = 0; !rest.empty(); ++i) {
      const std::size_t size = sizes[i % sizes.size()];
      const std::string_view piece = rest.substr(0, size > 0 ? size : rest.size());
      // A copy of its own, so that a sanitizer sees who keeps a view of it.
      hasher.feed(std::string(piece));
      rest.remove_prefix(piece.size());
    }
    return verify(verifier, mail, hasher.finish());
  }
  DkimFacts verify(const DkimVerifier& with, support::WholeMail& mail, const std::vector<signature::BodyHash>& body) {
    const GatherContext context{loop.scheduler(), resolver, counters, log, loop.now() + std::chrono::seconds(20), body,
                                verifying};
    mail.transaction().is_clock_suspect = is_clock_suspect;
    return loop.run_until_done(with.verify(mail.transaction(), with.read_signatures(mail.header()), context));
  }

  support::ManualLoop loop;
  support::TableResolver resolver;
  Counters counters;
  support::LinesLog log;
  signature::KeyCache keys{DkimVerifier::cached_keys};
  Duration* verifying = nullptr;  // what the policies of one mail have taken together; null: each for itself
  bool is_clock_suspect = false;
  DkimVerifier verifier{DkimSettings(), public_suffixes(), keys};
};

// The best of the signatures' results: what a mail with several is said to be.
inline AuthResult best_result(const DkimFacts& facts) {
  for (AuthResult result :
       {AuthResult::pass, AuthResult::temperror, AuthResult::policy, AuthResult::fail, AuthResult::permerror}) {
    for (const DkimFacts::Signature& signature : facts.signatures) {
      if (signature.result == result) return result;
    }
  }
  return AuthResult::none;
}

}  // namespace sallyport::policies
