// All policies there are. A new one is a folder of its own, a field in api/facts.h and settings.h, and a row here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/base/public_suffix.h"
#include "gateway/io/rate_store.h"
#include "policies/api/policy.h"
#include "policies/settings.h"

namespace sallyport::policies {

// What policies need besides their settings.
struct PolicyParts {
  // These two outlive the policies.
  io::RateStore& rates;
  const PublicSuffixList& suffixes;
  std::string hostname;
  std::vector<std::string> domains;  // of all tenants
};

// One set per worker, made anew when the configuration is. A policy whose mode is off is not made at all.
std::vector<std::unique_ptr<Policy>> make_policies(const PolicySettings& settings, const PolicyParts& parts);

}  // namespace sallyport::policies
