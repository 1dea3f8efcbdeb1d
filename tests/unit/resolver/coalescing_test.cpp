// Many who want to know the same: asked once, and nobody's fate is another's.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>

#include "gateway/async/when.h"
#include "gateway/resolver/budget.h"
#include "tests/unit/resolver/world.h"

namespace sallyport::resolver {
namespace {

using dns::Status;

// Answers after half a second.
class Coalescing : public testing::Test {
 protected:
  Coalescing() {
    world.network.set_responder(
        [](SocketAddress, std::string_view query) { return just(address_reply(query), milliseconds(500)); });
  }
  auto into(std::size_t place) {
    return [this, place](dns::Answer given) { answers[place] = std::move(given); };
  }

  World world;
  std::array<std::optional<dns::Answer>, 3> answers;
};

TEST_F(Coalescing, AQuestionUnderWayIsNotAskedAgain) {
  async::Nursery callers(world.loop.scheduler());
  for (std::size_t n = 0; n < 3; ++n) {
    callers.spawn(ask_and(world, example_a, into(n)));
    world.loop.advance(milliseconds(100));
  }
  EXPECT_EQ(world.resolver().in_flight(), 1u);
  world.loop.advance(milliseconds(300));
  EXPECT_EQ(world.questions(), 1u);
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->records, one_address("192.0.2.1"));
  }
  EXPECT_FALSE(answers[0]->from_cache) << "it asked";
  EXPECT_TRUE(answers[1]->from_cache && answers[2]->from_cache) << "they waited for its answer";
  EXPECT_EQ(world.resolver().in_flight(), 0u);
}

// Whoever of those who wait for a question is gone before its answer: one of the others, and only one, has it as news.
TEST_F(Coalescing, OneOfThoseWhoAreLeftHasTheNews) {
  for (unsigned gone = 0; gone < 7; ++gone) {
    World own;
    own.network.set_responder(
        [](SocketAddress, std::string_view query) { return just(address_reply(query), milliseconds(500)); });
    std::array<std::optional<dns::Answer>, 3> heard;
    async::Nursery stay(own.loop.scheduler());
    {
      async::Nursery leave(own.loop.scheduler());
      for (std::size_t n = 0; n < 3; ++n) {
        async::Nursery& where = (gone >> n & 1) != 0 ? leave : stay;
        where.spawn(ask_and(own, example_a, [&heard, n](dns::Answer given) { heard[n] = std::move(given); }));
      }
      own.loop.advance(milliseconds(100));
    }
    own.loop.advance(seconds(1));
    int news = 0;
    for (const auto& answer : heard) news += answer && !answer->from_cache ? 1 : 0;
    EXPECT_EQ(news, 1) << gone;
  }
}

// A lookup that cannot wait for the answer has a timeout as its news, the first of them alone; an answer after that is
// news again, a failure is not.
TEST_F(Coalescing, ATimeoutOfOnesOwnIsNewsOnce) {
  for (const bool comes : {true, false}) {
    World own;
    if (comes) {
      own.network.set_responder(
          [](SocketAddress, std::string_view query) { return just(address_reply(query), milliseconds(1500)); });
    }
    std::vector<dns::Answer> heard;
    async::Nursery callers(own.loop.scheduler());
    for (const int patience : {1, 1, 2, 20, 20}) {
      callers.spawn(ask_and(
          own, example_a, [&heard](dns::Answer given) { heard.push_back(given); }, seconds(patience)));
    }
    own.loop.advance(seconds(30));
    ASSERT_EQ(heard.size(), 5u);
    const auto news = [&heard](bool failed) {
      return std::count_if(heard.begin(), heard.end(),
                           [failed](const dns::Answer& one) { return !one.from_cache && one.failed() == failed; });
    };
    EXPECT_EQ(news(true), 1);
    EXPECT_EQ(news(false), comes ? 1 : 0);
  }
}

TEST_F(Coalescing, WhatWasNotAskedIsNoNews) {
  world.settings.max_in_flight = 1;
  async::Nursery callers(world.loop.scheduler());
  callers.spawn(ask_and(world, example_a, into(0)));
  callers.spawn(ask_and(world, {"other.example.org", dns::Type::A}, into(1)));
  ASSERT_TRUE(answers[1]);
  EXPECT_EQ(answers[1]->status, Status::servfail);
  EXPECT_TRUE(answers[1]->from_cache);
  EXPECT_TRUE(world.ask({std::string(64, 'x') + ".example.org", dns::Type::A}).from_cache);
}

// As sessions ask: each out of a budget of its own, and the one that asked pays.
TEST_F(Coalescing, ParallelSessionsAskOnce) {
  QuestionBudget first_budget;
  QuestionBudget second_budget;
  BudgetedResolver first(world.resolver(), first_budget, [] {});
  BudgetedResolver second(world.resolver(), second_budget, [] {});
  const Time deadline = world.loop.now() + seconds(20);
  std::vector<Task<dns::Answer>> sessions;
  sessions.push_back(first.lookup(example_a, deadline));
  sessions.push_back(second.lookup(example_a, deadline));
  for (const dns::Answer& answer :
       world.loop.run_until_done(async::when_all(world.loop.scheduler(), std::move(sessions))))
    EXPECT_EQ(answer.records, one_address("192.0.2.1"));
  EXPECT_EQ(world.network.sent().size(), 1u);
  EXPECT_EQ(first_budget.message_left, 99u);
  EXPECT_EQ(second_budget.message_left, 100u);
}

TEST_F(Coalescing, OtherQuestionsAreAskedBesideIt) {
  async::Nursery callers(world.loop.scheduler());
  callers.spawn(ask_and(world, example_a, into(0)));
  callers.spawn(ask_and(world, {example_a.name, dns::Type::AAAA}, into(1)));
  EXPECT_EQ(world.resolver().in_flight(), 2u);
  EXPECT_EQ(world.questions(), 2u);
}

TEST_F(Coalescing, EveryWaiterHasItsOwnDeadline) {
  async::Nursery callers(world.loop.scheduler());
  callers.spawn(ask_and(world, example_a, into(0), milliseconds(200)));
  callers.spawn(ask_and(world, example_a, into(1), milliseconds(900)));
  world.loop.advance(milliseconds(300));
  ASSERT_TRUE(answers[0]);
  EXPECT_EQ(answers[0]->status, Status::timeout);
  EXPECT_FALSE(answers[1]);
  world.loop.advance(milliseconds(300));
  ASSERT_TRUE(answers[1]);
  EXPECT_TRUE(answers[1]->found());
}

TEST_F(Coalescing, AnImpatientWaiterIsNoFaultAndNothingIsKeptOfIt) {
  EXPECT_EQ(world.ask(example_a, milliseconds(100)).status, Status::timeout);
  world.expect_recorded(Fault::dns_timeout, 0);
  world.loop.advance(seconds(1));
  dns::Answer later = world.ask(example_a);
  EXPECT_TRUE(later.from_cache) << "the question went on by itself";
  EXPECT_TRUE(later.found());
}

TEST_F(Coalescing, AWaiterThatIsGoneHurtsNobody) {
  async::Nursery others(world.loop.scheduler());
  {
    async::Nursery gone(world.loop.scheduler());
    gone.spawn(ask_and(world, example_a, into(0)));
    others.spawn(ask_and(world, example_a, into(1)));
    gone.spawn(ask_and(world, example_a, into(2)));
    world.loop.advance(milliseconds(100));
  }
  world.loop.advance(seconds(1));
  EXPECT_FALSE(answers[0]);
  EXPECT_FALSE(answers[2]);
  ASSERT_TRUE(answers[1]);
  EXPECT_TRUE(answers[1]->found());
  EXPECT_EQ(world.questions(), 1u);
}

TEST_F(Coalescing, AWaiterCanBeGoneWhenItsAnswerIsOnItsWay) {
  async::Nursery others(world.loop.scheduler());
  auto gone = std::make_unique<async::Nursery>(world.loop.scheduler());
  // The first to be woken ends the second, whose wake-up is posted by then.
  others.spawn(ask_and(world, example_a, [&gone](dns::Answer) { gone.reset(); }));
  gone->spawn(ask_and(world, example_a, into(1)));
  others.spawn(ask_and(world, example_a, into(2)));
  world.loop.advance(seconds(1));
  EXPECT_FALSE(answers[1]);
  EXPECT_TRUE(answers[2]);
}

TEST_F(Coalescing, AllWaitersCanBeGone) {
  {
    async::Nursery gone(world.loop.scheduler());
    gone.spawn(ask_and(world, example_a, into(0)));
  }
  EXPECT_EQ(world.resolver().in_flight(), 1u);
  world.loop.advance(seconds(1));
  EXPECT_EQ(world.resolver().in_flight(), 0u);
}

TEST_F(Coalescing, AResolverCanEndWithQuestionsUnderWay) {
  {
    async::Nursery callers(world.loop.scheduler());
    callers.spawn(ask_and(world, example_a, into(0)));
  }
  EXPECT_EQ(world.network.sockets_open(), 1u);
  world.end_resolver();
  EXPECT_EQ(world.network.sockets_open(), 0u);
  world.loop.advance(seconds(10));
}

TEST_F(Coalescing, ADeadlineThatHasPassedAsksNobody) {
  Task<dns::Answer> unknown = world.resolver().lookup(example_a, Time::min());
  EXPECT_EQ(world.loop.run_until_done(std::move(unknown)).status, Status::timeout);
  EXPECT_EQ(world.questions(), 0u);
  world.ask(example_a);
  Task<dns::Answer> known = world.resolver().lookup(example_a, Time::min());
  EXPECT_TRUE(world.loop.run_until_done(std::move(known)).found());
}

TEST_F(Coalescing, QuestionsUnderWayAreBounded) {
  world.settings.max_in_flight = 2;
  async::Nursery callers(world.loop.scheduler());
  callers.spawn(ask_and(world, {"one.example", dns::Type::A}, into(0)));
  callers.spawn(ask_and(world, {"two.example", dns::Type::A}, into(1)));
  EXPECT_EQ(world.ask(example_a).status, Status::servfail);
  world.expect_recorded(Fault::dns_error, 1);
  EXPECT_TRUE(world.ask({"one.example", dns::Type::A}).found()) << "to wait for one under way is free";
  EXPECT_TRUE(world.ask(example_a).found());
}

}  // namespace
}  // namespace sallyport::resolver
