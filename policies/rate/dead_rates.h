// What of the rates' settings can never take effect.
#pragma once

#include "policies/api/advice.h"
#include "policies/rate/settings.h"

namespace sallyport::policies {

void find_dead_rates(const RateSettings& settings, Advice& advice);

}  // namespace sallyport::policies
