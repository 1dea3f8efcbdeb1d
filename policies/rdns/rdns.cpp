#include "policies/rdns/rdns.h"

#include <utility>

namespace sallyport::policies {

Task<void> RdnsPolicy::gather(Stage, const Transaction& mail, Facts& facts, const Surroundings& around) const {
  facts.rdns = {};
  RdnsFacts found = co_await gather_rdns(mail.client.ip, around);
  facts.rdns = std::move(found);
}

Verdict RdnsPolicy::judge(Stage, const Transaction&, const Facts& facts) const {
  return judge_rdns(facts.rdns, settings_);
}

}  // namespace sallyport::policies
