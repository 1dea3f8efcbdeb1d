// What `sallyport lists` is told of the lists of a configuration.
#include "gateway/app/list_reports.h"

#include <gtest/gtest.h>

#include "policies/dnsbl/settings.h"
#include "policies/lists/list_health.h"
#include "policies/url_lists/settings.h"

namespace sallyport::app {
namespace {

using namespace std::chrono_literals;
using policies::ListHealth;
using policies::ListPart;

class ListReports : public testing::Test {
 protected:
  policies::DnsblSettings& everybodys() { return settings_.policy.edit(policies::dnsbl_section); }
  // A tenant with a copy of the settings so far.
  policies::DnsblSettings& of_tenant(const std::string& name) {
    settings_.tenants[name].policy = settings_.policy;
    return settings_.tenants[name].policy.edit(policies::dnsbl_section);
  }
  ListHealth& health(const char* zone) { return table_.of(zone); }
  control::ListReports reports() {
    return list_reports(settings_, table_, {1000s + Time{}, WallTime{1700001000s}, Time{} + 100s});
  }

  config::Settings settings_;
  policies::ListTable table_;
};

TEST_F(ListReports, TellsStateSinceWhenAndWhy) {
  everybodys().zones["k3y.paid.example"].name = "mine";
  everybodys().zones["bl.free.example"].self_test = policies::SelfTest::off;
  ListHealth& mine = health("k3y.paid.example");
  for (unsigned i = 0; i < ListHealth::failures_to_open; ++i) {
    mine.may_ask(ListPart::ipv6, Time{} + 400s)->failed(Time{} + 400s, "no answer in time");
  }
  mine.may_ask(ListPart::ipv4, Time{} + 500s)->answered(Time{} + 500s);
  mine.count_hit();
  const control::ListReports found = reports();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].list, "bl.free.example");
  EXPECT_EQ(found[0].ipv4, (control::ListReport::Family{"asked", 1700000100, ""})) << "since the start";
  EXPECT_EQ(found[0].self_test.mode, "off");
  EXPECT_EQ(found[1].list, "mine");
  EXPECT_TRUE(found[1].tenants.empty());
  EXPECT_EQ(found[1].ipv4.state, "asked");
  EXPECT_EQ(found[1].ipv6, (control::ListReport::Family{"set aside", 1700000400, "no answer in time"}));
  EXPECT_EQ(found[1].self_test.mode, "auto");
  EXPECT_EQ(found[1].self_test.result, "not yet");
  EXPECT_EQ(found[1].questions, 11u);
  EXPECT_EQ(found[1].hits, 1u);
  EXPECT_EQ(found[1].faults, 10u);
}

TEST_F(ListReports, TellsOfFailedTests) {
  everybodys().zones["a.example"];
  everybodys().zones["b.example"];
  ListHealth::Tested found;
  found.passes = false;
  found.reason = "127.0.0.1 is listed";
  health("a.example").tested(Time{} + 700s, found);
  found = {};
  found.passes = true;
  found.serves_ipv6 = false;
  found.ipv6_reason = "::FFFF:127.0.0.2 is not listed";
  health("b.example").tested(Time{} + 800s, found);
  const control::ListReports told = reports();
  const control::ListReport::Family failed{"failed its test", 1700000700, "127.0.0.1 is listed"};
  EXPECT_EQ(told.at(0).ipv4, failed);
  EXPECT_EQ(told.at(0).ipv6, failed);
  EXPECT_EQ(told.at(0).self_test, (control::ListReport::SelfTest{"auto", "failed", 1700000700, "127.0.0.1 is listed"}));
  EXPECT_EQ(told.at(1).ipv4.state, "asked");
  EXPECT_EQ(told.at(1).ipv6.state, "no entries");
  EXPECT_EQ(told.at(1).ipv6.reason, "::FFFF:127.0.0.2 is not listed");
  EXPECT_EQ(told.at(1).self_test.result, "passed");
}

TEST_F(ListReports, HasTenantsOwnLists) {
  everybodys().zones["all.example"];
  of_tenant("acme").zones["own.example"];
  of_tenant("beta").zones["own.example"];
  of_tenant("gamma");
  const control::ListReports told = reports();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].list, "all.example");
  EXPECT_EQ(told[1].list, "own.example");
  EXPECT_EQ(told[1].tenants, (std::vector<std::string>{"acme", "beta"}));
}

TEST_F(ListReports, HasListsOfNamesBehindThoseOfAddresses) {
  everybodys().zones["bl.example"];
  settings_.policy.edit(policies::url_lists_section).zones["dbl.example"];
  settings_.policy.edit(policies::url_lists_section).zones["bl.example"];
  ListHealth& health_of_names = health("dbl.example");
  for (unsigned i = 0; i < ListHealth::failures_to_open; ++i) {
    health_of_names.may_ask(ListPart::names, Time{} + 400s)->failed(Time{} + 400s, "no answer in time");
  }
  const control::ListReports told = reports();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].names.state, "");
  EXPECT_EQ(told[1].list, "bl.example");
  EXPECT_EQ(told[1].names.state, "asked");
  EXPECT_EQ(told[2].names, (control::ListReport::Family{"set aside", 1700000400, "no answer in time"}));
  EXPECT_EQ(told[2].ipv4.state, "");
  const auto read = control::decode_lists(control::encode_lists(told));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, told);
}

TEST_F(ListReports, HasNoneThatNobodyAsks) {
  everybodys().zones["all.example"];
  everybodys().mode = policies::Mode::off;
  EXPECT_TRUE(reports().empty());
  of_tenant("acme").mode = policies::Mode::shadow;
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_EQ(reports()[0].tenants, std::vector<std::string>{"acme"});
}

}  // namespace
}  // namespace sallyport::app
