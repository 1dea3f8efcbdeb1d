// What those see of the configuration who do not own its files: no customer's key in a DNS list's zone.
#include "gateway/config/in_public.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/explain.h"
#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(InPublic, PathsHaveNoKeys) {
  EXPECT_EQ(path_in_public("policy.dnsbl.zones.\"K3Y.paid.example\".score"),
            "policy.dnsbl.zones.\"paid.example\".score");
  EXPECT_EQ(path_in_public("tenants.\"a.b\".policy.dnsbl.zones.\"zen.k3y.paid.example\".name"),
            "tenants.\"a.b\".policy.dnsbl.zones.\"paid.example\".name");
  for (const char* path : {"limits.hops", "listen[0].address", "tls.sni.\"k3y.paid.example\".cert", "policy.dnsbl.skip",
                           "policy.dnsbl.zones", "tenants.acme.policy.dnsbl.mode", "\"unclosed"}) {
    EXPECT_EQ(path_in_public(path), path);
  }
}

TEST(InPublic, ValuesHaveNoKeysAndStayApart) {
  const auto loaded = load_text(minimal +
                                "[policy.dnsbl]\n"
                                "zones.\"k3y1.paid.example\".score = 2.0\n"
                                "zones.\"k3y2.paid.example\".score = 4.0\n"
                                "zones.\"bl.free.example\".score = 1.0\n"
                                "[tenants.default.policy.dnsbl]\n"
                                "zones.\"k3y3.paid.example\".score = 3.0\n"
                                "zones.\"k3y2.paid.example\".score = 6.0\n");
  ASSERT_TRUE(loaded.errors.empty()) << loaded.errors[0].to_string();
  EXPECT_THAT(show(loaded.loaded), HasSubstr("k3y1"));
  const Loaded shown = in_public(loaded.loaded);
  for (const std::string& text : {show(shown), show_json(shown), *show_tenant(shown, "default"),
                                  *show_tenant_json(shown, "default"), *explain("policy.dnsbl.zones.*.score", &shown)}) {
    EXPECT_THAT(text, Not(HasSubstr("k3y")));
    EXPECT_THAT(text, HasSubstr("bl.free.example"));
    EXPECT_THAT(text, HasSubstr("paid.example#2"));
  }
  EXPECT_THAT(show(shown), HasSubstr("[policy.dnsbl.zones.\"paid.example\"]"));
}

TEST(InPublic, ErrorsHaveNoKeys) {
  for (const char* wrong : {"zones.\"k3y.paid.example\".scor = 2.0\n", "zones.\"k3y.paid.example\" = 2.0\n",
                            "zones.\"k3y..paid.example\".score = 2.0\n", "zones.\"k3y .paid.example\".score = 2.0\n",
                            "zones.\"k3y.paid.example\".score = \"x\"\n",
                            "zones.\"k3y.paid.example\".score = 1.0\nzones.\"K3Y.paid.example\".score = 1.0\n"}) {
    const Outcome outcome = load_text(minimal + "[policy.dnsbl]\n" + wrong);
    ASSERT_EQ(outcome.errors.size(), 1u) << wrong;
    EXPECT_THAT(outcome.errors[0].to_string(), Not(HasSubstr("k3y"))) << wrong;
    EXPECT_THAT(outcome.errors[0].to_string(), Not(HasSubstr("K3Y"))) << wrong;
  }
}

}  // namespace
}  // namespace sallyport::config
