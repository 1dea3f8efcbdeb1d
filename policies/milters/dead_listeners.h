// Which listeners a milter is to be asked for that do not exist, and which milters are listeners of this gateway.
#pragma once

#include "policies/api/advice.h"
#include "policies/milters/settings.h"

namespace sallyport::policies {

void find_dead_listeners(const MiltersSettings& settings, Advice& advice);

}  // namespace sallyport::policies
