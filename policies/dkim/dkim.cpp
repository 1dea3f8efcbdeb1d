#include "policies/dkim/dkim.h"

#include "policies/api/body_hashes.h"

namespace sallyport::policies {

std::unique_ptr<BodyObserver> DkimPolicy::observe_body(const Transaction& mail) const {
  return observe_body_hashes(verifier_->body_forms(mail.message->header()),
                             [](Facts& facts) -> auto& { return facts.dkim.body_hashes; });
}

Task<void> DkimPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  co_await verifier_->verify(mail, facts.dkim, around);
  facts.dkim.checked = true;
}

Verdict DkimPolicy::judge(Stage, const Transaction&, const Facts& facts) const {
  return judge_dkim(facts.dkim, settings_);
}

}  // namespace sallyport::policies
