// threats.md D6.
#include "gateway/resolver/budget.h"

#include <gtest/gtest.h>

#include "gateway/async/when.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"

namespace sallyport::resolver {
namespace {

using dns::Status;

class Budget : public testing::Test {
 protected:
  Budget() { table.zone().a("host.example", "192.0.2.1"); }

  Status ask(const std::string& name = "host.example") {
    Task<dns::Answer> lookup = resolver.lookup({name, dns::Type::A}, loop.now() + std::chrono::seconds(5));
    return loop.run_until_done(std::move(lookup)).status;
  }
  // How many questions are answered until one is refused.
  unsigned ask_until_refused() {
    unsigned answered = 0;
    while (ask() != Status::budget && answered < 10000) ++answered;
    return answered;
  }

  support::ManualLoop loop;
  support::TableResolver table;
  unsigned excesses = 0;
  QuestionBudget budget;
  BudgetedResolver resolver{table, budget, [this] { ++excesses; }};
};

TEST_F(Budget, AMessageHasAHundredQuestions) {
  EXPECT_EQ(ask_until_refused(), 100u);
  EXPECT_EQ(table.asked().size(), 100u);
}

TEST_F(Budget, ASessionHasTwoHundred) {
  EXPECT_EQ(ask_until_refused(), 100u);
  budget.next_message();
  EXPECT_EQ(ask_until_refused(), 100u);
  budget.next_message();
  EXPECT_EQ(ask_until_refused(), 0u);
}

TEST_F(Budget, ARelayedMessageEarnsAHundred) {
  for (int n = 0; n < 20; ++n) {
    EXPECT_EQ(ask_until_refused(), 100u);
    budget.message_relayed();
    budget.next_message();
  }
}

TEST_F(Budget, FailuresCostToo) {
  EXPECT_EQ(ask("missing.example"), Status::nxdomain);
  EXPECT_EQ(budget.message_left, 99u);
  EXPECT_EQ(budget.session_left, 199u);
}

TEST_F(Budget, WhatTheCacheKnowsIsFree) {
  table.set_from_cache(true);
  for (int n = 0; n < 1000; ++n) ASSERT_EQ(ask(), Status::ok);
  EXPECT_EQ(budget.message_left, 100u);
  EXPECT_EQ(budget.session_left, 200u);
}

TEST_F(Budget, WhatTheCacheKnowsIsToldWithoutBudget) {
  budget.message_left = 0;
  EXPECT_EQ(ask(), Status::budget);
  table.set_from_cache(true);
  EXPECT_EQ(ask(), Status::ok);
}

TEST_F(Budget, AnExcessIsToldOncePerMessage) {
  ask_until_refused();
  EXPECT_TRUE(budget.is_exceeded);
  ask();
  ask();
  EXPECT_EQ(excesses, 1u);
  budget.next_message();
  EXPECT_FALSE(budget.is_exceeded);
  ask_until_refused();
  EXPECT_EQ(excesses, 2u);
}

TEST_F(Budget, QuestionsAtTheSameMomentShareIt) {
  support::TableResolver slow(table.zone(), loop.scheduler(), std::chrono::milliseconds(10));
  BudgetedResolver shared(slow, budget, [this] { ++excesses; });
  std::vector<Task<dns::Answer>> lookups;
  for (int n = 0; n < 150; ++n) {
    lookups.push_back(shared.lookup({"host.example", dns::Type::A}, loop.now() + std::chrono::seconds(5)));
  }
  auto answers = loop.run_until_done(async::when_all(loop.scheduler(), std::move(lookups)));
  unsigned refused = 0;
  for (const auto& answer : answers) refused += answer.status == Status::budget;
  EXPECT_EQ(refused, 50u);
  EXPECT_EQ(excesses, 1u);
}

}  // namespace
}  // namespace sallyport::resolver
