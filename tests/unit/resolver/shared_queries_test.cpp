// One question for all workers: the table by itself, by many threads, and two resolvers over it.
#include "gateway/resolver/shared_queries.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <optional>
#include <thread>

#include "tests/unit/resolver/world.h"

namespace sallyport::resolver {
namespace {

using Answer = SharedQueries::Answer;

Answer an_answer() { return std::make_shared<const dns::Answer>(); }
void nobody(const Answer&, const SharedQueries::News&) {}

TEST(SharedQueries, TheFirstAsksAndTheOthersAreTold) {
  SharedQueries table;
  SharedQueries::Part asks = table.take_part(example_a, nobody);
  ASSERT_TRUE(asks.is_to_ask());
  std::vector<Answer> told;
  const auto note = [&told](Answer answer, const SharedQueries::News&) { told.push_back(std::move(answer)); };
  const SharedQueries::Part second = table.take_part(example_a, note);
  const SharedQueries::Part third = table.take_part(example_a, note);
  EXPECT_FALSE(second.is_to_ask() || third.is_to_ask());
  EXPECT_TRUE(table.take_part({"other.example.org", dns::Type::A}, nobody).is_to_ask());
  EXPECT_TRUE(table.take_part({example_a.name, dns::Type::TXT}, nobody).is_to_ask());

  const Answer answer = an_answer();
  asks.settle(answer, nullptr);
  EXPECT_EQ(told, (std::vector<Answer>{answer, answer}));
  EXPECT_TRUE(table.take_part(example_a, nobody).is_to_ask()) << "it is under way no more";
}

TEST(SharedQueries, WhoHasGoneIsNotTold) {
  SharedQueries table;
  SharedQueries::Part asks = table.take_part(example_a, nobody);
  int told = 0;
  {
    const SharedQueries::Part gone =
        table.take_part(example_a, [&told](const Answer&, const SharedQueries::News&) { ++told; });
  }
  const SharedQueries::Part stays =
      table.take_part(example_a, [&told](const Answer&, const SharedQueries::News&) { told += 10; });
  asks.settle(an_answer(), nullptr);
  EXPECT_EQ(told, 10);
}

TEST(SharedQueries, WhoGivesUpSaysSo) {
  SharedQueries table;
  std::optional<SharedQueries::Part> asks(table.take_part(example_a, nobody));
  std::vector<Answer> told;
  const SharedQueries::Part waits = table.take_part(
      example_a, [&told](Answer answer, const SharedQueries::News&) { told.push_back(std::move(answer)); });
  asks.reset();
  EXPECT_EQ(told, std::vector<Answer>{nullptr});
  EXPECT_TRUE(table.take_part(example_a, nobody).is_to_ask());
}

TEST(SharedQueries, SaysItToManyThreads) {
  constexpr int threads = 4;
  constexpr int rounds = 2000;
  SharedQueries table;
  std::atomic<int> asking = 0;
  std::atomic<int> told = 0;
  const auto run = [&] {
    for (int i = 0; i < rounds; ++i) {
      SharedQueries::Part part = table.take_part(example_a, [&](const Answer&, const SharedQueries::News&) { ++told; });
      if (!part.is_to_ask()) continue;
      EXPECT_EQ(++asking, 1) << "two ask the same";
      --asking;
      if (i % 2 == 0) part.settle(an_answer(), nullptr);
    }
  };
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back(run);
  for (std::thread& thread : running) thread.join();
  EXPECT_LE(told, threads * rounds);
  EXPECT_TRUE(table.take_part(example_a, nobody).is_to_ask());
}

// Two workers' resolvers over what they share; servers answer after half a second. What one posts to the other waits in
// a queue, as it would for the other's thread.
class TwoResolvers : public testing::Test {
 protected:
  TwoResolvers() {
    world_.network.set_responder(
        [](SocketAddress, std::string_view query) { return just(address_reply(query), milliseconds(500)); });
    second_ = std::make_unique<Resolver>(world_.loop.scheduler(), world_.network, world_.dialer, world_.cache,
                                         world_.settings, world_.counters, world_.log);
    for (Resolver* resolver : {&world_.resolver(), second_.get()}) {
      resolver->ask_with_others(shared_queries_,
                                [this](std::function<void()> then) { posted_.push_back(std::move(then)); });
    }
  }

  void ask(Resolver& resolver, std::optional<dns::Answer>& into) {
    callers_.spawn([](Resolver& asked, Time deadline, std::optional<dns::Answer>& place) -> Task<void> {
      place = co_await asked.lookup(example_a, deadline);
    }(resolver, world_.loop.now() + seconds(20), into));
  }
  void pass(Duration time) {
    world_.loop.advance(time);
    for (; !posted_.empty(); posted_.pop_front()) posted_.front()();
    world_.loop.advance({});
  }

  World world_;
  SharedQueries shared_queries_;
  std::deque<std::function<void()>> posted_;
  std::unique_ptr<Resolver> second_;
  std::optional<dns::Answer> at_first_;
  std::optional<dns::Answer> at_second_;
  async::Nursery callers_{world_.loop.scheduler()};
};

TEST_F(TwoResolvers, AskOnceBetweenThem) {
  ask(world_.resolver(), at_first_);
  ask(*second_, at_second_);
  pass(milliseconds(600));
  EXPECT_EQ(world_.questions(), 1u);
  for (const auto& answer : {at_first_, at_second_}) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->records, one_address("192.0.2.1"));
  }
}

// Two lookups at each of two workers, of whom some leave: one of those who are left has the news.
TEST_F(TwoResolvers, OneOfAllWhoAreLeftHasTheNews) {
  for (unsigned gone = 0; gone < 15; ++gone) {
    const dns::Question question{"host" + std::to_string(gone) + ".example.org", dns::Type::A};
    std::array<std::optional<dns::Answer>, 4> heard;
    {
      async::Nursery leave(world_.loop.scheduler());
      for (std::size_t n = 0; n < 4; ++n) {
        async::Nursery& where = (gone >> n & 1) != 0 ? leave : callers_;
        Resolver& asked = n < 2 ? world_.resolver() : *second_;
        where.spawn(
            [](Resolver& resolver, dns::Question what, Time deadline, std::optional<dns::Answer>& place) -> Task<void> {
              place = co_await resolver.lookup(std::move(what), deadline);
            }(asked, question, world_.loop.now() + seconds(20), heard[n]));
      }
      pass(milliseconds(100));
    }
    pass(milliseconds(600));
    int news = 0;
    for (const auto& answer : heard) news += answer && !answer->from_cache ? 1 : 0;
    EXPECT_EQ(news, 1) << gone;
  }
}

TEST_F(TwoResolvers, AskOnceThoughNothingMayBeKept) {
  world_.network.set_responder([](SocketAddress, std::string_view query) {
    const std::string name = support::question_of(query).name;
    return just(DnsPacket::reply_to(query).a(name, "192.0.2.1", 0), milliseconds(500));
  });
  ask(world_.resolver(), at_first_);
  ask(*second_, at_second_);
  pass(milliseconds(600));
  EXPECT_EQ(world_.questions(), 1u);
  EXPECT_TRUE(at_second_);
}

TEST_F(TwoResolvers, TheOtherAsksWhenTheFirstHasGone) {
  ask(*second_, at_second_);
  ask(world_.resolver(), at_first_);
  world_.loop.advance(milliseconds(100));
  second_.reset();
  pass(milliseconds(100));
  EXPECT_FALSE(at_first_);
  pass(milliseconds(600));
  ASSERT_TRUE(at_first_);
  EXPECT_EQ(at_first_->records, one_address("192.0.2.1"));
  EXPECT_EQ(world_.questions(), 2u);
}

TEST_F(TwoResolvers, WhoIsNotToldGivesUpInTime) {
  world_.network.set_responder([](SocketAddress, std::string_view) { return just(DnsPacket(), seconds(1000)); });
  ask(world_.resolver(), at_first_);
  ask(*second_, at_second_);
  world_.loop.advance(seconds(30));
  ASSERT_TRUE(at_second_);
  EXPECT_EQ(at_second_->status, dns::Status::timeout);
}

// The news are posted, and then there is nobody.
TEST_F(TwoResolvers, NewsForOneWhoHasGoneAreLost) {
  ask(world_.resolver(), at_first_);
  ask(*second_, at_second_);
  world_.loop.advance(milliseconds(600));
  EXPECT_FALSE(posted_.empty());
  second_.reset();
  pass({});
  EXPECT_TRUE(at_first_);
  EXPECT_FALSE(at_second_);
}

}  // namespace
}  // namespace sallyport::resolver
