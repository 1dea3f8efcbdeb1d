// The settings of all policies, each from its own folder, and of what is done with their summed score.
#pragma once

#include "policies/api/stage.h"
#include "policies/dnsbl/settings.h"
#include "policies/helo/settings.h"
#include "policies/rate/settings.h"

namespace sallyport::policies {

// Thresholds on a mail's summed score (contract.md, policy.actions).
struct ActionSettings {
  double tag = 5.0;
  double quarantine = 10.0;
  double reject = 15.0;
};

struct PolicySettings {
  DnsblSettings dnsbl;
  RateSettings rate;
  HeloSettings helo;
  ActionSettings actions;
};

}  // namespace sallyport::policies
