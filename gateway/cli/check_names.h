// What `check` asks of the DNS: the names that servers are given by.
#pragma once

#include "gateway/config/load.h"

namespace sallyport::cli {

// A warning for each server whose name has no address now. It is no error: the name may get one at any time, and the
// DNS may be away while a configuration is checked. Waits for the answers, 5 seconds at most.
config::ConfigErrors check_names(const config::Loaded& loaded);

}  // namespace sallyport::cli
