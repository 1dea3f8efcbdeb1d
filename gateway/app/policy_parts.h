// The policies of one worker: those of policies/policy_list and the Lua rules.
#pragma once

#include <memory>
#include <vector>

#include "gateway/base/public_suffix.h"
#include "gateway/base/result.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/io/rate_store.h"
#include "policies/api/policy.h"

namespace sallyport::app {

using WorkerPolicies = std::vector<std::unique_ptr<policies::Policy>>;

// `rates` and `suffixes` outlive the policies. An error is a rule that does not load: all of them, one line each.
Result<WorkerPolicies> make_worker_policies(const config::Settings& settings, io::RateStore& rates,
                                            const PublicSuffixList& suffixes);

}  // namespace sallyport::app
