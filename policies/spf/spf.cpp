#include "policies/spf/spf.h"

#include <utility>

namespace sallyport::policies {

Task<void> SpfPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  facts.spf = {};
  SpfFacts found = co_await gather_spf(mail, hostname_, around);
  facts.spf = std::move(found);
}

Verdict SpfPolicy::judge(Stage stage, const Transaction& mail, const Facts& facts) const {
  return judge_spf(stage, mail, facts.spf, settings_);
}

}  // namespace sallyport::policies
