// Which milters have so few connections that clients get into each other's way: they are divided among the workers, and
// a worker's only one cannot be shared out (pool.h).
#pragma once

#include "policies/api/advice.h"
#include "policies/milters/settings.h"

namespace sallyport::policies {

void find_scarce_connections(const MiltersSettings& settings, Advice& advice);

}  // namespace sallyport::policies
