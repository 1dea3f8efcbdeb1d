#include "gateway/report/reporting.h"

#include <gtest/gtest.h>

namespace sallyport::report {

namespace {

void enable(settings::Set& policy, std::string from) {
  policies::DmarcReportSettings& report = policy.edit(policies::dmarc_section).report;
  report.enabled = true;
  report.from = std::move(from);
}

config::TenantSettings tenant_of(const config::Settings& settings, std::string name) {
  config::TenantSettings tenant;
  tenant.name = std::move(name);
  tenant.policy = settings.policy;
  return tenant;
}

TEST(Reporting, NobodyReportsByItself) {
  config::Settings settings;
  settings.tenants["acme"] = tenant_of(settings, "acme");
  EXPECT_EQ(reporting_settings(settings), nullptr);
  EXPECT_FALSE(is_reported(settings, "acme"));
  EXPECT_FALSE(is_reported(settings, ""));
}

TEST(Reporting, OneTenantAloneMay) {
  config::Settings settings;
  settings.tenants["acme"] = tenant_of(settings, "acme");
  settings.tenants["zeta"] = tenant_of(settings, "zeta");
  enable(settings.tenants["zeta"].policy, "dmarc@zeta.example");
  ASSERT_NE(reporting_settings(settings), nullptr);
  EXPECT_EQ(reporting_settings(settings)->report.from, "dmarc@zeta.example");
  EXPECT_TRUE(is_reported(settings, "zeta"));
  EXPECT_FALSE(is_reported(settings, "acme"));
}

TEST(Reporting, OneTenantAloneMayNot) {
  config::Settings settings;
  enable(settings.policy, "dmarc@mx.example");
  settings.tenants["acme"] = tenant_of(settings, "acme");
  settings.tenants["acme"].policy.edit(policies::dmarc_section).report.enabled = false;
  settings.tenants["zeta"] = tenant_of(settings, "zeta");
  EXPECT_EQ(reporting_settings(settings)->report.from, "dmarc@mx.example");
  EXPECT_TRUE(is_reported(settings, "zeta"));
  EXPECT_FALSE(is_reported(settings, "acme"));
  EXPECT_TRUE(is_reported(settings, "unknown"));
}

}  // namespace

}  // namespace sallyport::report
