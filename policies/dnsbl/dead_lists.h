// What of the DNS lists' settings can never take effect, for `check`.
#pragma once

#include "policies/api/advice.h"
#include "policies/dnsbl/settings.h"

namespace sallyport::policies {

void find_dead_lists(const DnsblSettings& settings, Advice& advice);

}  // namespace sallyport::policies
