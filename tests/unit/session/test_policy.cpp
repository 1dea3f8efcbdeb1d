#include "tests/unit/session/test_policy.h"

namespace sallyport::session {

namespace {

using policies::Stage;
using policies::Transaction;

struct NoFacts {
  template <class V>
  void fields(V&) {}
};

constexpr policies::FactsType no_facts = policies::facts_type<NoFacts>("test");

const TestPolicySettings& settings_of(const void* settings) {
  return *static_cast<const TestPolicySettings*>(settings);
}

class ForwardingGathering final : public policies::Gathering {
 public:
  explicit ForwardingGathering(const TestPolicy& policy) : policy_(policy) {}

  Task<void> gather(Stage stage, const Transaction& mail, policies::Facts& facts,
                    const policies::GatherContext& context) override {
    return policy_.gather(stage, mail, facts, context);
  }

 private:
  const TestPolicy& policy_;
};

class TestGatherer final : public policies::Gatherer {
 public:
  explicit TestGatherer(const TestPolicy& policy) : policy_(policy) {}

  bool gathers_at(Stage stage) const override { return policy_.gathers_at(stage); }
  bool precedes_greeting() const override { return policy_.precedes_greeting(); }
  std::unique_ptr<policies::Gathering> begin() const override { return policy_.begin(); }

 private:
  const TestPolicy& policy_;
};

Result<std::unique_ptr<policies::Gatherer>> prepare(const void* settings, const policies::GathererParts&) {
  return std::unique_ptr<policies::Gatherer>(std::make_unique<TestGatherer>(*settings_of(settings).policy));
}

void judge(Stage stage, const Transaction& mail, const policies::Facts& facts, const void* settings,
           policies::Verdicts& out) {
  settings_of(settings).policy->judge(stage, mail, facts, out);
}

using Section = settings::SectionOf<TestPolicySettings>;

}  // namespace

const std::array<Section, most_test_policies> test_sections{Section{"policy.test0", {}}, Section{"policy.test1", {}},
                                                            Section{"policy.test2", {}}, Section{"policy.test3", {}},
                                                            Section{"policy.watching", {}}};

std::unique_ptr<policies::Gathering> TestPolicy::begin() const { return std::make_unique<ForwardingGathering>(*this); }

Task<void> TestPolicy::gather(Stage, const Transaction&, policies::Facts&, const policies::GatherContext&) const {
  co_return;
}

policies::PolicyEntry test_entry(std::string_view name, std::size_t index) {
  return {.name = name,
          .settings = test_sections.at(index),
          .mode = policies::mode_of<TestPolicySettings>,
          .facts = no_facts,
          .prepare = prepare,
          .judge = judge};
}

}  // namespace sallyport::session
