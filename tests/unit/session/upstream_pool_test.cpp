// Places, their order, and what happens to connections that are given back.
#include "gateway/session/upstream_pool.h"

#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

class UpstreamPoolTest : public testing::Test {
 protected:
  using Lease = UpstreamPool::Lease;

  UpstreamPoolTest() {
    config::UpstreamSettings group;
    group.name = "default";
    group.servers = {first_server};
    group.tls.mode = tls::UpstreamTls::off;
    group.max_connections = 1;
    board = std::make_unique<UpstreamBoard>(std::map<std::string, config::UpstreamSettings>{{"default", group}});
    dialer.serve(first_server, [this](auto stream) { return upstream.serve(std::move(stream)); });
    pool = make_pool();
  }

  std::unique_ptr<UpstreamPool> make_pool() {
    return std::make_unique<UpstreamPool>(
        loop.scheduler(), dialer, *board, counters, std::map<std::string, std::shared_ptr<const tls::ClientContext>>{},
        "mx.example.com", UpstreamTimeouts{std::chrono::seconds(30), std::chrono::seconds(60)});
  }
  UpstreamServer& server() { return *board->find("default")->servers[0]; }

  // Asks for a place and notes its name when it has one.
  Task<void> ask(UpstreamPool& from, std::string name, Lease& lease) {
    std::vector<FailedServer> failed;
    auto got = co_await from.acquire(*board->find("default"), failed, false, loop.now() + std::chrono::seconds(30));
    if (got) lease = std::move(*got);
    served.push_back(got ? name : name + " in vain");
  }
  // For ever: takes a place, gives it back, takes the next.
  Task<void> keep_asking(UpstreamPool& from, int& times) {
    while (true) {
      Lease lease;
      co_await ask(from, "", lease);
      if (!lease) continue;
      ++times;
      co_await async::sleep_for(loop.scheduler(), std::chrono::milliseconds(10));
      from.give_back(std::move(lease), false);
    }
  }

  support::ManualLoop loop;
  Counters counters;
  support::ScriptedDialer dialer{loop.scheduler()};
  FakeUpstream upstream;
  std::unique_ptr<UpstreamBoard> board;
  std::unique_ptr<UpstreamPool> pool;
  std::vector<std::string> served;
};

TEST_F(UpstreamPoolTest, ServesInTheOrderOfArrival) {
  Lease first, second, third;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", first));
  askers.spawn(ask(*pool, "2", second));
  askers.spawn(ask(*pool, "3", third));
  loop.advance(std::chrono::milliseconds(500));  // time to look again, and again
  EXPECT_EQ(served, (std::vector<std::string>{"1"}));
  pool->give_back(std::move(first), false);
  Lease fourth;
  askers.spawn(ask(*pool, "4", fourth));  // comes when a connection lies there, but not first
  loop.run();
  EXPECT_EQ(served, (std::vector<std::string>{"1", "2"}));
  second = {};  // dropped: a new one is opened in its place
  loop.run();
  EXPECT_EQ(served, (std::vector<std::string>{"1", "2", "3"}));
  pool->give_back(std::move(third), false);
  loop.run();
  EXPECT_EQ(served.size(), 4u);
  EXPECT_EQ(upstream.connections, 2);
  EXPECT_EQ(server().connections(), 1u);
  EXPECT_EQ(server().starving(), 0);
}

TEST_F(UpstreamPoolTest, NobodyWaitsForEver) {
  Lease first, second;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", first));
  askers.spawn(ask(*pool, "2", second));
  loop.advance(std::chrono::seconds(31));
  EXPECT_EQ(served, (std::vector<std::string>{"1", "2 in vain"}));
  EXPECT_EQ(server().starving(), 0);
}

TEST_F(UpstreamPoolTest, AnAskerThatGoesAwayLeavesItsTurnToTheNext) {
  Lease first, second, third;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", first));
  auto impatient = std::make_unique<async::Nursery>(loop.scheduler());
  impatient->spawn(ask(*pool, "2", second));
  askers.spawn(ask(*pool, "3", third));
  loop.run();
  impatient.reset();
  pool->give_back(std::move(first), false);
  loop.run();
  EXPECT_EQ(served, (std::vector<std::string>{"1", "3"}));
}

TEST_F(UpstreamPoolTest, AnIdleConnectionDoesNotStarveAnotherWorker) {
  auto other = make_pool();
  Lease first, second;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", first));
  loop.run();
  pool->give_back(std::move(first), false);
  EXPECT_EQ(pool->idle(), 1u);
  askers.spawn(ask(*other, "2", second));
  loop.advance(std::chrono::seconds(3));
  EXPECT_EQ(served, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(pool->idle(), 0u);
}

TEST_F(UpstreamPoolTest, ABusyWorkerDoesNotStarveAnother) {
  auto other = make_pool();
  int ours = 0, theirs = 0;
  async::Nursery askers(loop.scheduler());
  for (int i = 0; i < 3; ++i) askers.spawn(keep_asking(*pool, ours));
  askers.spawn(keep_asking(*other, theirs));
  loop.advance(std::chrono::seconds(20));
  EXPECT_GT(theirs, 20);
  EXPECT_GT(ours, 20);
}

TEST_F(UpstreamPoolTest, IdleConnectionsSayQuitAfterAWhile) {
  Lease first;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", first));
  loop.run();
  pool->give_back(std::move(first), false);
  loop.advance(std::chrono::seconds(28));
  EXPECT_EQ(pool->idle(), 1u);
  loop.advance(std::chrono::seconds(4));
  EXPECT_EQ(pool->idle(), 0u);
  EXPECT_EQ(upstream.commands.back(), "QUIT");
  EXPECT_EQ(server().connections(), 0u);
  EXPECT_EQ(counters.get(Gauge::upstream_open), 0);
  EXPECT_EQ(counters.get(Gauge::upstream_idle), 0);
}

TEST_F(UpstreamPoolTest, AHalfDoneMailIsResetBeforeTheConnectionIsKept) {
  Lease first;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", first));
  loop.run();
  pool->give_back(std::move(first), true);
  loop.run();
  EXPECT_EQ(upstream.commands.back(), "RSET");
  EXPECT_EQ(pool->idle(), 1u);
  upstream.replies["RSET"] = "500 what\r\n";
  askers.spawn(ask(*pool, "2", first));
  loop.run();
  pool->give_back(std::move(first), true);
  loop.run();
  EXPECT_EQ(pool->idle(), 0u) << "one that cannot be reset is not kept";
  EXPECT_EQ(server().connections(), 0u);
}

TEST_F(UpstreamPoolTest, CloseIdleSaysQuitToAll) {
  Lease first;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", first));
  loop.run();
  pool->give_back(std::move(first), false);
  loop.run_until_done(pool->close_idle());
  EXPECT_EQ(upstream.commands.back(), "QUIT");
  EXPECT_EQ(server().connections(), 0u);
}

TEST_F(UpstreamPoolTest, ProbesLearnWhatTheServerCan) {
  EXPECT_FALSE(server().abilities());
  async::Nursery probes(loop.scheduler());
  probes.spawn(pool->probe_for_ever());
  loop.run();
  ASSERT_TRUE(server().abilities());
  EXPECT_TRUE(server().abilities()->smtputf8);
  EXPECT_EQ(server().abilities()->max_size, 10000000u);
  upstream.replies["EHLO"] = "250 upstream.example\r\n";
  loop.advance(std::chrono::seconds(45));
  EXPECT_FALSE(server().abilities()->smtputf8);
}

}  // namespace
}  // namespace sallyport::session
