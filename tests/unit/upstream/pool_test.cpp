// Slots, their order, what happens to connections that are given back, and what a reload changes.
#include <algorithm>

#include "tests/unit/upstream/pool_fixture.h"

namespace sallyport::upstream {
namespace {

class UpstreamPoolTest : public PoolFixture {
 protected:
  // For ever: takes a connection, gives it back, takes the next.
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
  EXPECT_EQ(server().waiting(), 0);
}

// Tenants that share a server: each has its turn, whoever came first, whether a connection is handed over or a place.
TEST_F(UpstreamPoolTest, TenantsTakeTurns) {
  for (const bool is_dropped : {false, true}) {
    served.clear();
    std::vector<Lease> of_many(6);
    Lease of_one, of_another;
    async::Nursery askers(loop.scheduler());
    for (Lease& lease : of_many) askers.spawn(ask(*pool, "many", lease, 7));
    askers.spawn(ask(*pool, "one", of_one, 8));
    askers.spawn(ask(*pool, "another", of_another, 9));
    loop.run();
    EXPECT_EQ(served, (std::vector<std::string>{"many"}));
    const auto let_go = [&](Lease& lease) {
      if (is_dropped) {
        lease = {};
      } else if (lease) {
        pool->give_back(std::move(lease), false);
      }
    };
    for (int turn = 0; turn < 8; ++turn) {
      for (Lease& lease : of_many) let_go(lease);
      let_go(of_one);
      let_go(of_another);
      loop.run();
    }
    ASSERT_EQ(served.size(), 8u);
    const auto place_of = [&](std::string_view name) {
      return std::find(served.begin(), served.end(), name) - served.begin();
    };
    EXPECT_LE(place_of("one"), 3) << is_dropped;
    EXPECT_LE(place_of("another"), 3) << is_dropped;
    EXPECT_EQ(server().waiting(), 0);
  }
}

class TenantsThatGiveUp : public UpstreamPoolTest {
 protected:
  // Each wants the one place, which another one has.
  void begin(std::size_t of_first, std::size_t of_second) {
    leases_.resize(of_first + of_second);
    for (std::size_t i = 0; i < leases_.size(); ++i)
      askers_.spawn(i < of_first ? ask(*pool, "first", leases_[i], 7) : ask(*pool, "second", leases_[i], 8));
    loop.run();
  }
  // How many of the first tenant are among the next so many.
  std::ptrdiff_t count_first_of(std::size_t next) {
    while (served.size() < next) {
      for (Lease& lease : leases_) {
        if (lease) pool->give_back(std::move(lease), false);
      }
      const std::size_t before = served.size();
      loop.run();
      if (served.size() == before) return -1;
    }
    return std::count(served.begin(), served.begin() + static_cast<std::ptrdiff_t>(next), "first");
  }

  Lease held_;

 private:
  std::vector<Lease> leases_;
  async::Nursery askers_{loop.scheduler()};
};

TEST_F(TenantsThatGiveUp, WhoLeavesTheRowCostsItsTenantNothing) {
  loop.run_until_done(ask(*pool, "", held_));
  std::vector<Lease> of_quitters(20);
  async::Nursery quitters(loop.scheduler());
  for (Lease& lease : of_quitters) quitters.spawn(ask(*pool, "", lease, 7));
  loop.run();
  begin(0, 10);
  quitters.cancel();
  std::vector<Lease> of_late(10);
  async::Nursery late(loop.scheduler());
  for (Lease& lease : of_late) late.spawn(ask(*pool, "late", lease, 7));
  loop.run();
  served.clear();
  pool->give_back(std::move(held_), false);
  loop.run();
  for (int turn = 0; turn < 10; ++turn) {
    for (Lease& lease : of_late) {
      if (lease) pool->give_back(std::move(lease), false);
    }
    count_first_of(served.size() + 1);
  }
  EXPECT_EQ(std::count(served.begin(), served.begin() + 8, "late"), 4);
}

// It leaves in the moment in which it gets the place, or the connection.
TEST_F(TenantsThatGiveUp, ATurnThatIsNotUsedIsGivenBack) {
  for (const bool is_dropped : {false, true}) {
    loop.run_until_done(ask(*pool, "", held_));
    std::vector<std::unique_ptr<async::Nursery>> quitters;
    std::vector<Lease> of_quitters(3);
    for (Lease& lease : of_quitters) {
      quitters.push_back(std::make_unique<async::Nursery>(loop.scheduler()));
      quitters.back()->spawn(ask(*pool, "", lease, 7));
    }
    begin(6, 6);
    served.clear();
    if (is_dropped) {
      held_ = {};
    } else {
      pool->give_back(std::move(held_), false);
    }
    for (auto& one : quitters) one.reset();
    loop.run();
    EXPECT_EQ(count_first_of(8), 4) << is_dropped;
    count_first_of(12);
    count_first_of(13);  // the last one gives back
  }
}

TEST_F(UpstreamPoolTest, NobodyWaitsForEver) {
  Lease first, second;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", first));
  askers.spawn(ask(*pool, "2", second));
  loop.advance(std::chrono::seconds(31));
  EXPECT_EQ(served, (std::vector<std::string>{"1", "2 in vain"}));
  EXPECT_EQ(server().waiting(), 0);
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
  share(*pool);
  share(*other);
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
  share(*pool);
  share(*other);
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
  loop.advance(std::chrono::seconds(58));
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
  EXPECT_FALSE(server().extensions());
  async::Nursery probes(loop.scheduler());
  probes.spawn(pool->probe_for_ever());
  loop.run();
  ASSERT_TRUE(server().extensions());
  EXPECT_TRUE(server().extensions()->smtputf8);
  EXPECT_EQ(server().extensions()->max_size, 10000000u);
  upstream.replies["EHLO"] = "250 upstream.example\r\n";
  loop.advance(std::chrono::seconds(75));
  EXPECT_FALSE(server().extensions()->smtputf8);
}

TEST_F(UpstreamPoolTest, AReloadKeepsConnectionsToServersThatStay) {
  Lease lease;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", lease));
  loop.run();
  pool->give_back(std::move(lease), false);
  reload(configure({second_server, first_server}, 1));
  loop.run();
  EXPECT_EQ(pool->idle(), 1u);
  EXPECT_EQ(groups.at("default")->servers[1]->connections(), 1u) << "it is the same server, with what is known of it";
  EXPECT_TRUE(groups.at("default")->servers[1]->extensions());
}

TEST_F(UpstreamPoolTest, AReloadSaysQuitToServersThatAreNamedNoMore) {
  Lease lease;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", lease));
  loop.run();
  pool->give_back(std::move(lease), false);
  reload(configure({second_server}, 1));
  loop.run();
  EXPECT_EQ(pool->idle(), 0u);
  EXPECT_EQ(upstream.commands.back(), "QUIT");
  EXPECT_EQ(counters.get(Gauge::upstream_open), 0);
  EXPECT_EQ(registry.size(), 1u) << "nobody names the first one, and it has no connection";
}

TEST_F(UpstreamPoolTest, AConnectionInUseOutlivesItsServersNameAndIsClosedAfterwards) {
  Lease lease;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", lease));
  loop.run();
  reload(configure({second_server}, 1));
  loop.run();
  EXPECT_EQ(registry.size(), 2u);
  pool->give_back(std::move(lease), false);
  loop.run();
  EXPECT_EQ(pool->idle(), 0u);
  EXPECT_EQ(upstream.commands.back(), "QUIT");
}

TEST_F(UpstreamPoolTest, WhoWaitsDuringAReloadIsServedFirst) {
  Lease first, old_waiter, second_old_waiter, new_asker;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "held", first));
  askers.spawn(ask(*pool, "old", old_waiter));
  askers.spawn(ask(*pool, "old too", second_old_waiter));
  loop.run();
  reload(configure({first_server}, 1));
  askers.spawn(ask(*pool, "new", new_asker));
  loop.run();
  EXPECT_EQ(served, (std::vector<std::string>{"held"})) << "the limit is one connection, whichever group asks";
  pool->give_back(std::move(first), false);
  loop.run();
  pool->give_back(std::move(old_waiter), false);
  loop.run();
  pool->give_back(std::move(second_old_waiter), false);
  loop.run();
  EXPECT_EQ(served, (std::vector<std::string>{"held", "old", "old too", "new"}));
  EXPECT_EQ(upstream.connections, 1);
}

TEST_F(UpstreamPoolTest, WhoWaitsForAServerThatIsNamedNoMoreIsServedToo) {
  Lease first, old_waiter, new_asker;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "held", first));
  askers.spawn(ask(*pool, "old", old_waiter));
  loop.run();
  reload(configure({second_server}, 1));
  askers.spawn(ask(*pool, "new", new_asker));
  loop.run();
  EXPECT_EQ(served, (std::vector<std::string>{"held", "new"})) << "the new server is free";
  pool->give_back(std::move(first), false);
  loop.run();
  EXPECT_EQ(served, (std::vector<std::string>{"held", "new", "old"}));
  EXPECT_TRUE(old_waiter.is_reused());
}

TEST_F(UpstreamPoolTest, TheLimitIsThatOfTheGroupThatAsks) {
  Lease first, second, third;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", first));
  loop.run();
  UpstreamGroups before = groups;
  reload(configure({first_server}, 2));
  askers.spawn(ask(*pool, "2", second));
  loop.run();
  EXPECT_EQ(served, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(server().connections(), 2u);
  groups = before;
  askers.spawn(ask(*pool, "3", third));
  loop.advance(std::chrono::milliseconds(200));
  EXPECT_EQ(served.size(), 2u) << "a session of the older configuration keeps its limit of one";
}

TEST_F(UpstreamPoolTest, ANewServerIsProbedAtOnce) {
  async::Nursery probes(loop.scheduler());
  probes.spawn(pool->probe_for_ever());
  loop.run();
  reload(configure({first_server, second_server}, 1));
  EXPECT_FALSE(groups.at("default")->servers[1]->extensions());
  loop.run();
  EXPECT_TRUE(groups.at("default")->servers[1]->extensions());
  EXPECT_EQ(upstream.connections, 2) << "the first one has been heard of already";
}

}  // namespace
}  // namespace sallyport::upstream
