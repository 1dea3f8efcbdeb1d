#include "policies/dkim/dkim.h"

#include <utility>

#include "policies/api/body_hashes.h"

namespace sallyport::policies {

std::unique_ptr<BodyObserver> DkimPolicy::observe_body(const Transaction& mail) const {
  std::vector<signature::Signature> signatures = verifier_->read_signatures(mail.message->header());
  const std::vector<signature::BodyForm> forms = DkimVerifier::body_forms(signatures);
  return observe_body_hashes(
      forms, [read = std::move(signatures)](Facts& facts, std::vector<signature::BodyHash> hashes) mutable {
        facts.dkim.read = std::move(read);
        facts.dkim.body_hashes = std::move(hashes);
      });
}

Task<void> DkimPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  co_await verifier_->verify(mail, facts.dkim, around);
  facts.dkim.checked = true;
}

Verdict DkimPolicy::judge(Stage, const Transaction&, const Facts& facts) const {
  return judge_dkim(facts.dkim, settings_);
}

}  // namespace sallyport::policies
