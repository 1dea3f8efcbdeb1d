// The settings of all policies, each from its own folder, and of what is done with their summed score.
#pragma once

#include "policies/api/stage.h"
#include "policies/arc/settings.h"
#include "policies/dkim/settings.h"
#include "policies/dmarc/settings.h"
#include "policies/dnsbl/settings.h"
#include "policies/helo/settings.h"
#include "policies/rate/settings.h"
#include "policies/rdns/settings.h"
#include "policies/spf/settings.h"

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
  RdnsSettings rdns;
  SpfSettings spf;
  DkimSettings dkim;
  ArcSettings arc;
  DmarcSettings dmarc;
  DmarcReportSettings dmarc_report;
  ActionSettings actions;
};

}  // namespace sallyport::policies
