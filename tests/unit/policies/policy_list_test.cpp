// Which policies there are, and under which settings.
#include "policies/policy_list.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

class AllowingRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string, Rate) override { co_return io::RateAnswer{}; }
};

std::vector<std::string> names(const std::vector<std::unique_ptr<Policy>>& policies) {
  std::vector<std::string> found;
  for (const auto& policy : policies) found.emplace_back(policy->name());
  return found;
}

TEST(PolicyList, HasThePoliciesThatAreOnByDefault) {
  AllowingRates rates;
  const PublicSuffixList suffixes;
  const auto policies = make_policies(PolicySettings{}, {rates, suffixes, "mx1.example.com", {"example.com"}});
  EXPECT_EQ(names(policies), (std::vector<std::string>{"rate", "helo", "dnsbl", "spf", "dkim", "arc", "dmarc"}));
}

TEST(PolicyList, LeavesOutWhatIsOff) {
  AllowingRates rates;
  const PublicSuffixList suffixes;
  PolicySettings settings;
  settings.rate.mode = Mode::off;
  settings.dnsbl.mode = Mode::shadow;
  settings.rdns.mode = Mode::shadow;
  EXPECT_EQ(names(make_policies(settings, {rates, suffixes, "mx1.example.com", {}})),
            (std::vector<std::string>{"helo", "dnsbl", "rdns", "spf", "dkim", "arc", "dmarc"}));
  settings.helo.mode = Mode::off;
  settings.dnsbl.mode = Mode::off;
  settings.rdns.mode = Mode::off;
  settings.spf.mode = Mode::off;
  settings.dkim.mode = Mode::off;
  settings.arc.mode = Mode::off;
  settings.dmarc.mode = Mode::off;
  EXPECT_TRUE(make_policies(settings, {rates, suffixes, "mx1.example.com", {}}).empty());
}

TEST(PolicyList, HandsTheOwnNamesOn) {
  AllowingRates rates;
  const PublicSuffixList suffixes;
  PolicyWorld world;
  const auto policies = make_policies(PolicySettings{}, {rates, suffixes, "mx1.example.com", {"example.com"}});
  Transaction mail = mail_of("192.0.2.1");
  mail.client.helo = "example.com";
  Facts facts;
  for (const auto& policy : policies) {
    if (policy->gathers_at(Stage::helo)) world.gather(*policy, Stage::helo, mail, facts);
  }
  EXPECT_EQ(facts.helo.finding, HeloFacts::Finding::own_name);
}

TEST(PolicyList, HasNothingToTestInMostPolicies) {
  AllowingRates rates;
  const PublicSuffixList suffixes;
  PolicyWorld world;
  for (const auto& policy : make_policies(PolicySettings{}, {rates, suffixes, "mx1.example.com", {}})) {
    world.loop.run_until_done(policy->self_test(world.around()));
  }
  EXPECT_TRUE(world.resolver.asked().empty());
}

}  // namespace
}  // namespace sallyport::policies
