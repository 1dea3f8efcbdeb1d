#include "policies/arc/arc.h"

#include <utility>

#include "policies/api/body_hashes.h"

namespace sallyport::policies {

std::unique_ptr<BodyObserver> ArcPolicy::observe_body(const Transaction& mail) const {
  return observe_body_hashes(
      ArcValidator::body_forms(mail.message->header()),
      [](Facts& facts, std::vector<signature::BodyHash> hashes) { facts.arc.body_hashes = std::move(hashes); });
}

Task<void> ArcPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  co_await validator_->validate(mail, facts.arc, around);
  facts.arc.checked = true;
}

Verdict ArcPolicy::judge(Stage, const Transaction&, const Facts& facts) const {
  return judge_arc(facts.arc, settings_);
}

}  // namespace sallyport::policies
