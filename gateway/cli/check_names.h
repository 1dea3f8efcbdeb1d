// The part of `check` that looks up the servers which upstreams name, and finds those that are this gateway itself.
#pragma once

#include <string>

#include "gateway/cli/check_report.h"

namespace sallyport::cli {

// A name without an address is a warning. A server that is one of the gateway's own listeners is an error, by whatever
// address or name. Takes 5 seconds at most.
void check_names(const config::Loaded& loaded, const std::string& config_file, CheckReport& report);

}  // namespace sallyport::cli
