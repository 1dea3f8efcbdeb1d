// TestPolicy: a policy that a test writes as a class, with the entry and the settings that make the gateway run it.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "policies/api/entry.h"

namespace sallyport::session {

class TestPolicy {
 public:
  virtual ~TestPolicy() = default;

  virtual std::string_view name() const = 0;
  virtual void judge(policies::Stage, const policies::Transaction&, const policies::Facts&, policies::Verdicts&) const {
  }

  virtual bool gathers_at(policies::Stage) const { return false; }
  virtual bool precedes_greeting() const { return false; }
  // The gathering for one connection or one mail; by default one that calls gather() of this policy and wants no body.
  virtual std::unique_ptr<policies::Gathering> begin() const;
  virtual Task<void> gather(policies::Stage stage, const policies::Transaction& mail, policies::Facts& facts,
                            const policies::GatherContext& context) const;
};

// The settings of a test's policy: the policy object, and its mode.
struct TestPolicySettings {
  const TestPolicy* policy = nullptr;
  policies::Mode mode = policies::Mode::enforce;
};

// The sections of the test policies that one World may have, in the order in which they are added. The last one is for
// the World's own policy.
inline constexpr std::size_t most_test_policies = 5;
extern const std::array<settings::SectionOf<TestPolicySettings>, most_test_policies> test_sections;

// Makes the entry of the policy whose settings are in test_sections[index].
policies::PolicyEntry test_entry(std::string_view name, std::size_t index);

}  // namespace sallyport::session
