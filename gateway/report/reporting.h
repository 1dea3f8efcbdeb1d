// Whose mail the DMARC aggregate reports tell of, and who sends them.
#pragma once

#include <string_view>

#include "gateway/config/gateway_settings.h"
#include "policies/dmarc/settings.h"

namespace sallyport::report {

// The settings that reports are made and sent by: those of policy.dmarc where it has reports enabled, else those of the
// first tenant, by name, that has. Null: nobody has, and nothing is collected.
const policies::DmarcSettings* reporting_settings(const config::Settings& settings);

// Whether what this tenant's mail adds to reports is collected. A tenant that the settings do not name goes by
// policy.dmarc.
bool is_reported(const config::Settings& settings, std::string_view tenant);

}  // namespace sallyport::report
