// The part of `init` that asks the world: whether the upstream takes connections and has TLS, whether the DNS servers
// answer, where the domains' MX records lead.
#pragma once

#include "gateway/cli/init_findings.h"
#include "gateway/config/gateway_settings.h"

namespace sallyport::cli {

// `settings` are those of the new configuration. Takes half a minute at most.
InitFindings look_outside(const config::Settings& settings);

}  // namespace sallyport::cli
