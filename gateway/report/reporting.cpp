#include "gateway/report/reporting.h"

#include <string>

namespace sallyport::report {

const policies::DmarcSettings* reporting_settings(const config::Settings& settings) {
  const policies::DmarcSettings& common = settings.policy.of(policies::dmarc_section);
  if (common.report.enabled) return &common;
  for (const auto& [name, tenant] : settings.tenants) {
    const policies::DmarcSettings& own = config::policy_of(settings, tenant).of(policies::dmarc_section);
    if (own.report.enabled) return &own;
  }
  return nullptr;
}

bool is_reported(const config::Settings& settings, std::string_view tenant) {
  const auto found = settings.tenants.find(std::string(tenant));
  const settings::Set& policy =
      found == settings.tenants.end() ? settings.policy : config::policy_of(settings, found->second);
  return policy.of(policies::dmarc_section).report.enabled;
}

}  // namespace sallyport::report
