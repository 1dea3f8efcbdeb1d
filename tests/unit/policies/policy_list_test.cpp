// Which policies there are, what each has to bring, and what holds for all of them.
#include "policies/policy_list.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "policies/sections.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

constexpr Stage stages[] = {Stage::connect, Stage::helo,    Stage::mail, Stage::rcpt,
                            Stage::headers, Stage::message, Stage::done};

// All defaults.
std::vector<std::pair<const PolicyEntry*, std::shared_ptr<void>>> entries_with_settings() {
  std::vector<std::pair<const PolicyEntry*, std::shared_ptr<void>>> entries;
  for (const PolicyEntry* entry : policy_list()) entries.emplace_back(entry, entry->settings.make());
  return entries;
}

TEST(PolicyList, BeginsWithTheCheapAndEndsWithTheRules) {
  ASSERT_FALSE(policy_list().empty());
  EXPECT_EQ(policy_list().front()->name, "rate");
  EXPECT_EQ(policy_list().back()->name, "rules");
}

// Milters are, because there are none.
TEST(PolicyList, OnlyReverseNamesAreOffByDefault) {
  for (const auto& [entry, settings] : entries_with_settings()) {
    const bool is_off = entry->name == "rdns" || entry->name == "milters";
    EXPECT_EQ(entry->mode(settings.get()), is_off ? Mode::off : Mode::enforce) << entry->name;
  }
}

TEST(PolicyList, NamesEachPolicyOnceAndEverywhereAlike) {
  std::set<std::string_view> names;
  for (const PolicyEntry* entry : policy_list()) {
    EXPECT_TRUE(names.insert(entry->name).second) << entry->name;
    // A list of tables is one key: policy.milters.
    const bool is_list = entry->name == "milters";
    EXPECT_EQ(entry->settings.path, is_list ? "policy" : "policy." + std::string(entry->name));
    EXPECT_EQ(entry->facts.name, entry->name);
  }
}

TEST(PolicyList, CanBeExplainedWhereNothingWasFoundOut) {
  for (const auto& [entry, settings] : entries_with_settings()) {
    ASSERT_NE(entry->explain, nullptr) << entry->name;
    EXPECT_FALSE(entry->explain(mail_of("192.0.2.1"), Facts(), settings.get()).result.empty()) << entry->name;
  }
}

TEST(PolicyList, HasNothingToSayWithoutFacts) {
  for (const auto& [entry, settings] : entries_with_settings()) {
    if (entry->judge == nullptr) continue;
    for (Stage stage : stages) {
      EXPECT_TRUE(judge(*entry, stage, mail_of("192.0.2.1"), Facts(), settings.get()).empty()) << entry->name;
    }
    mail::AuthResults results;
    if (entry->auth_results != nullptr) entry->auth_results(mail_of("192.0.2.1"), Facts(), results);
    EXPECT_TRUE(results.methods.empty()) << entry->name;
  }
}

TEST(PolicyList, TestsNothingUnlessItIsAskedTo) {
  PolicyWorld world;
  for (const auto& [entry, settings] : entries_with_settings()) {
    if (entry->prepare != nullptr) world.self_test(*world.prepare(*entry, settings.get()));
  }
  EXPECT_TRUE(world.resolver.asked().empty());
}

TEST(PolicySections, AreThoseOfTheListBetweenModeAndActions) {
  const auto sections = policy_sections();
  ASSERT_EQ(sections.size(), policy_list().size() + 2);
  EXPECT_EQ(sections.front()->path, "policy");
  EXPECT_EQ(sections.back()->path, "policy.actions");
  for (std::size_t i = 0; i < policy_list().size(); ++i) EXPECT_EQ(sections[i + 1], &policy_list()[i]->settings);
}

}  // namespace
}  // namespace sallyport::policies
