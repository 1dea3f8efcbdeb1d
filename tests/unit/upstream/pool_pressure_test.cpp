// Places that are wanted by several: full servers, idle connections of other workers, silent transactions; and when the
// life of a connection ends.
#include "gateway/io/shortage.h"
#include "tests/unit/upstream/pool_fixture.h"

namespace sallyport::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A transaction whose client says nothing.
class Silent final : public SilentTransaction {
 public:
  explicit Silent(UpstreamPool& pool) : pool_(pool) {}
  void begin(UpstreamPool::Lease taken) {
    lease = std::move(taken);
    pool_.note_silent(*this);
  }
  UpstreamServer* held_server() const override { return lease ? &lease.server() : nullptr; }
  void give_up() noexcept override {
    unlink();
    pool_.give_up(std::move(lease));
  }
  UpstreamPool::Lease lease;

 private:
  UpstreamPool& pool_;
};

class PoolPressure : public PoolFixture {
 protected:
  void two_workers() {
    other = make_pool();
    share(*pool);
    share(*other);
  }
  Lease take(UpstreamPool& from) {
    Lease lease;
    loop.run_until_done(ask(from, "", lease));
    EXPECT_TRUE(lease);
    return lease;
  }
  using PoolFixture::ask;
  Task<void> ask(UpstreamPool& from, std::string name, Lease& lease, Time deadline) {
    std::shared_ptr<UpstreamGroup> group = groups.at("default");
    std::vector<FailedServer> failed;
    auto got = co_await from.acquire(*group, failed, {.deadline = deadline});
    if (got) lease = std::move(*got);
    served.push_back(got ? name : name + " in vain");
  }
  // As the loop does when it has not run for so long.
  void stand_still(Duration length) {
    loop.scheduler().set_time(loop.now() + length);
    loop.scheduler().note_standstill(loop.now() + milliseconds(500));
  }
  // A server that takes so many connections at once, and greets others with this, or closes them without a word.
  Task<void> serve_few(std::unique_ptr<io::Stream> stream, int most) {
    if (now_served >= most) {
      if (!full_greeting.empty()) static_cast<void>(co_await stream->write(full_greeting, async::no_deadline));
      co_return stream->close();
    }
    ++now_served;
    co_await upstream.serve(std::move(stream));
    --now_served;
  }
  void serve_few_at(SocketAddress address, int most) {
    dialer.serve(address, [this, most](auto stream) { return serve_few(std::move(stream), most); });
  }

  std::vector<std::unique_ptr<support::MemoryStream>> mute;  // connections that are greeted by nobody
  int now_served = 0;
  std::string full_greeting = "421 4.3.2 All in use\r\n";
  std::unique_ptr<UpstreamPool> other;
};

TEST_F(PoolPressure, AnIdleConnectionOfAnotherWorkerIsGivenUpAtOnce) {
  two_workers();
  for (int i = 0; i < 4; ++i) {
    UpstreamPool& from = i % 2 == 0 ? *pool : *other;
    Lease lease;
    async::Nursery askers(loop.scheduler());
    askers.spawn(ask(from, "", lease));
    loop.advance(milliseconds(20));
    ASSERT_TRUE(lease) << i;
    from.give_back(std::move(lease), false);
  }
  EXPECT_EQ(upstream.connections, 4);
}

TEST_F(PoolPressure, NoMoreIdleConnectionsAreGivenUpThanAreWanted) {
  reload(configure({first_server}, 4));
  two_workers();
  other->adopt(groups);
  std::vector<Lease> leases;
  for (int i = 0; i < 4; ++i) leases.push_back(take(*pool));
  for (Lease& lease : leases) pool->give_back(std::move(lease), false);
  ASSERT_EQ(pool->idle(), 4u);
  const Lease lease = take(*other);
  loop.advance(seconds(3));
  EXPECT_EQ(pool->idle(), 3u);
}

TEST_F(PoolPressure, TheLongestSilentTransactionIsGivenUp) {
  reload(configure({first_server}, 2));
  Silent first(*pool), second(*pool);
  first.begin(take(*pool));
  loop.advance(seconds(2));
  second.begin(take(*pool));
  loop.advance(seconds(2));
  const Lease lease = take(*pool);
  EXPECT_FALSE(first.lease);
  EXPECT_TRUE(second.lease);
  EXPECT_EQ(upstream.commands.back(), "RSET");
  EXPECT_EQ(upstream.connections, 2) << "its connection serves on";
}

TEST_F(PoolPressure, OneThatHasJustSpokenIsNot) {
  Silent busy(*pool);
  busy.begin(take(*pool));
  Lease lease;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", lease));
  loop.advance(milliseconds(300));
  EXPECT_TRUE(busy.lease);
  loop.advance(milliseconds(300));
  EXPECT_FALSE(busy.lease);
  EXPECT_TRUE(lease);
}

TEST_F(PoolPressure, ASilentTransactionOfAnotherWorkerIsGivenUpToo) {
  two_workers();
  Silent silent(*other);
  silent.begin(take(*other));
  loop.advance(seconds(1));
  Lease lease;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", lease));
  loop.advance(milliseconds(20));
  EXPECT_TRUE(lease);
}

TEST_F(PoolPressure, WithoutPressureSilenceIsNoMatter) {
  reload(configure({first_server}, 2));
  Silent silent(*pool);
  silent.begin(take(*pool));
  loop.advance(seconds(100));
  const Lease lease = take(*pool);
  EXPECT_TRUE(silent.lease);
}

TEST_F(PoolPressure, AServerThatTurnsAConnectionAwayIsFullWhileWeHaveOthers) {
  reload(configure({first_server}, 100));
  serve_few_at(first_server, 3);
  std::vector<Lease> leases(7);
  async::Nursery askers(loop.scheduler());
  for (std::size_t i = 0; i < leases.size(); ++i) askers.spawn(ask(*pool, std::to_string(i), leases[i]));
  loop.advance(seconds(1));
  EXPECT_EQ(served.size(), 3u);
  EXPECT_EQ(server().status(loop.now()).state, ServerState::full);
  EXPECT_EQ(server().status(loop.now()).bound, 3u);
  EXPECT_EQ(log.count({"event=upstream", "state=full", "421 4.3.2 All in use"}), 1u);
  EXPECT_EQ(counters.get(Total::upstreams_full), 1u);
  EXPECT_EQ(counters.get(Total::upstreams_down), 0u);
  // As places become free, all are served.
  for (int round = 0; round < 20 && served.size() < leases.size(); ++round) {
    for (Lease& lease : leases) {
      if (lease) pool->give_back(std::move(lease), false);
    }
    loop.advance(milliseconds(100));
  }
  EXPECT_EQ(served.size(), 7u);
  for (const std::string& name : served) EXPECT_EQ(name.size(), 1u) << name;
}

// However it says so.
class PoolPressureBy : public PoolPressure, public testing::WithParamInterface<std::string> {};

TEST_P(PoolPressureBy, AServerThatHasNoPlaceForAnotherConnection) {
  full_greeting = GetParam();
  reload(configure({first_server}, 100));
  serve_few_at(first_server, 2);
  std::vector<Lease> leases(5);
  async::Nursery askers(loop.scheduler());
  for (std::size_t i = 0; i < leases.size(); ++i) askers.spawn(ask(*pool, std::to_string(i), leases[i]));
  loop.advance(seconds(1));
  EXPECT_EQ(served.size(), 2u);
  EXPECT_EQ(server().status(loop.now()).state, ServerState::full);
  for (int round = 0; round < 20 && served.size() < leases.size(); ++round) {
    for (Lease& lease : leases) {
      if (lease) pool->give_back(std::move(lease), false);
    }
    loop.advance(milliseconds(100));
  }
  EXPECT_EQ(served.size(), 5u);
  for (const std::string& name : served) EXPECT_EQ(name.size(), 1u) << name;
  EXPECT_EQ(counters.get(Total::upstreams_down), 0u);
}

INSTANTIATE_TEST_SUITE_P(Every, PoolPressureBy,
                         testing::Values("", "421 4.3.2 All in use\r\n", "554 5.3.2 Too many connections\r\n"),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

TEST_F(PoolPressure, AServerThatTurnsAllConnectionsAwayIsDown) {
  reload(configure({first_server, second_server}, 100));
  loop.advance(seconds(4));
  serve_few_at(first_server, 0);
  const Lease lease = take(*pool);
  EXPECT_EQ(&lease.server(), &server(1));
  EXPECT_EQ(server(0).status(loop.now()).state, ServerState::down);
  EXPECT_EQ(log.count({"event=upstream", "state=down", "upstream=10.0.0.5:25", "421"}), 1u);
}

// After an upgrade or a restart it may still have the connections of the process before.
TEST_F(PoolPressure, AtTheBeginningAServerThatIsFullIsWaitedFor) {
  reload(configure({first_server}, 100));
  bool is_full = true;
  dialer.serve(first_server, [this, &is_full](auto stream) { return serve_few(std::move(stream), is_full ? 0 : 5); });
  Lease lease;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "x", lease));
  loop.advance(milliseconds(500));
  EXPECT_TRUE(served.empty());
  EXPECT_EQ(server().status(loop.now()).state, ServerState::full);
  is_full = false;
  loop.advance(milliseconds(500));
  EXPECT_EQ(served, std::vector<std::string>{"x"});
  EXPECT_EQ(counters.get(Total::upstreams_down), 0u);
}

TEST_F(PoolPressure, AtTheBeginningAServerThatStaysFullIsDownSoon) {
  reload(configure({first_server}, 100));
  serve_few_at(first_server, 0);
  Lease lease;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "x", lease));
  loop.advance(seconds(2));
  EXPECT_TRUE(served.empty());
  EXPECT_LE(counters.get(Total::upstream_connections), 12u) << "and it is not asked without end";
  loop.advance(seconds(2));
  EXPECT_EQ(served, std::vector<std::string>{"x in vain"});
  EXPECT_EQ(server().status(loop.now()).state, ServerState::down);
}

TEST_F(PoolPressure, AServerThatClosesAllConnectionsIsDownAtOnce) {
  reload(configure({first_server}, 100));
  full_greeting.clear();
  serve_few_at(first_server, 0);
  std::vector<Lease> leases(6);
  async::Nursery askers(loop.scheduler());
  for (std::size_t i = 0; i < leases.size(); ++i) askers.spawn(ask(*pool, std::to_string(i), leases[i]));
  loop.advance(seconds(1));
  EXPECT_EQ(served.size(), 6u);
  for (const std::string& name : served) EXPECT_NE(name.find("in vain"), std::string::npos);
  EXPECT_EQ(server().status(loop.now()).state, ServerState::down);
}

TEST_F(PoolPressure, DownAndUpAreToldOnce) {
  take(*pool);
  dialer.fail(first_server, io::Error::refused);
  async::Nursery askers(loop.scheduler());
  Lease lease;
  for (int i = 0; i < 5; ++i) {
    askers.spawn(ask(*pool, "x", lease));
    loop.advance(seconds(3));
  }
  EXPECT_EQ(log.count({"event=upstream", "state=down", "because=\"connect: refused\""}), 1u);
  dialer.serve(first_server, [this](auto stream) { return upstream.serve(std::move(stream)); });
  for (int i = 0; i < 5; ++i) pool->give_back(take(*pool), false);
  EXPECT_EQ(log.count({"event=upstream", "state=up"}), 1u);
  EXPECT_EQ(counters.get(Total::upstreams_down), 1u);
  EXPECT_EQ(counters.get(Total::upstreams_up), 1u);
}

TEST_F(PoolPressure, ThoseWhoWaitLookAgainAtServersThatHaveFailed) {
  reload(configure({second_server, first_server}, 1));
  const Lease holder = take(*pool);
  dialer.fail(first_server, io::Error::reset);
  Lease early;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "early", early));
  loop.advance(seconds(1));
  dialer.serve(first_server, [this](auto stream) { return upstream.serve(std::move(stream)); });
  loop.advance(seconds(2));
  EXPECT_TRUE(early);
}

// What became free while the process stood still is found a little later; a mail whose time has run out meanwhile waits
// for that.
TEST_F(PoolPressure, AfterAStandstillAPlaceThatBecameFreeInTimeCounts) {
  Lease holder = take(*pool);
  Lease late;
  async::Nursery askers(loop.scheduler());
  const Time deadline = loop.now() + seconds(30);
  stand_still(seconds(40));
  askers.spawn(ask(*pool, "late", late, deadline));
  loop.advance(milliseconds(100));
  EXPECT_EQ(served, std::vector<std::string>({""}));
  pool->give_back(std::move(holder), false);
  loop.advance(milliseconds(1));
  EXPECT_TRUE(late);
}

TEST_F(PoolPressure, AfterAStandstillAFullServerHasTheSameTime) {
  reload(configure({first_server}, 4));
  serve_few_at(first_server, 1);
  Lease holder = take(*pool);
  Lease late;
  async::Nursery askers(loop.scheduler());
  const Time deadline = loop.now() + seconds(30);
  stand_still(seconds(40));
  askers.spawn(ask(*pool, "late", late, deadline));
  loop.advance(milliseconds(100));
  EXPECT_EQ(log.count({"event=upstream", "state=full"}), 1u);
  EXPECT_EQ(served, std::vector<std::string>({""}));
  pool->give_back(std::move(holder), false);
  loop.advance(milliseconds(1));
  EXPECT_TRUE(late);
}

TEST_F(PoolPressure, AStandstillGivesALittleTimeAndNoMore) {
  const Lease holder = take(*pool);
  Lease late;
  async::Nursery askers(loop.scheduler());
  const Time deadline = loop.now() + seconds(30);
  stand_still(seconds(40));
  askers.spawn(ask(*pool, "late", late, deadline));
  loop.advance(seconds(2));
  EXPECT_EQ(served, std::vector<std::string>({"", "late in vain"}));
}

TEST_F(PoolPressure, NoDescriptorLeftIsNotTheServersFault) {
  dialer.fail(first_server, io::Error::exhausted);
  std::vector<FailedServer> failed;
  auto got = loop.run_until_done(pool->acquire(*groups.at("default"), failed, {.deadline = loop.now() + seconds(30)}));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, UpstreamError::Kind::resource);
  EXPECT_FALSE(server().is_down(loop.now()));
  EXPECT_EQ(counters.get(Total::upstreams_down), 0u);
}

TEST_F(PoolPressure, WhatIsShortIsNamedOnce) {
  dialer.fail(first_server, io::Error::exhausted);
  using io::Shortage;
  for (const Shortage what : {Shortage::open_files, Shortage::memory, Shortage::ports, Shortage::packet_filter}) {
    io::note_shortage(what);
    std::vector<FailedServer> failed;
    auto got =
        loop.run_until_done(pool->acquire(*groups.at("default"), failed, {.deadline = loop.now() + seconds(30)}));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().detail, "connect: out of " + std::string(io::name(what)));
    EXPECT_EQ(io::take_shortage(), Shortage::unknown) << "it is not told of another call";
  }
}

TEST_F(PoolPressure, WhatWeLackForOneServerIsNoMatterForTheNext) {
  reload(configure({first_server, second_server}, 1));
  dialer.fail(first_server, io::Error::exhausted);
  const Lease lease = take(*pool);
  EXPECT_EQ(&lease.server(), &server(1));
  EXPECT_NE(server(0).status(loop.now()).state, ServerState::down);
}

TEST_F(PoolPressure, ProbesHoldOnePlace) {
  reload(configure({first_server}, 9));
  dialer.accept(first_server, [this](auto stream) { mute.push_back(std::move(stream)); });
  settings.upstreams["default"].health_interval = milliseconds(300);
  reload(configure({first_server}, 9));
  async::Nursery probes(loop.scheduler());
  probes.spawn(pool->probe_for_ever());
  loop.advance(seconds(4));
  EXPECT_EQ(server().connections(), 1u);
}

// It is greeted by nobody for longer than a question for its health waits, and not for longer than a mail may.
TEST_F(PoolPressure, ASlowAnswerToAProbePutsNoServerDownAndItsPlaceIsForMail) {
  settings.upstreams["default"].health_interval = milliseconds(300);
  dialer.accept(first_server, [this](auto stream) { mute.push_back(std::move(stream)); });
  reload(configure({first_server}, 1));
  async::Nursery probes(loop.scheduler());
  probes.spawn(pool->probe_for_ever());
  loop.advance(seconds(20));
  EXPECT_EQ(counters.get(Total::upstreams_down), 0u);
  EXPECT_EQ(server().connections(), 1u);
  dialer.serve(first_server, [this](auto stream) { return upstream.serve(std::move(stream)); });
  Lease lease;
  async::Nursery askers(loop.scheduler());
  askers.spawn(ask(*pool, "1", lease));
  loop.advance(milliseconds(100));
  EXPECT_TRUE(lease);
}

// -- how long a connection lives

TEST_F(PoolPressure, AConnectionIsUsedUntilItsAge) {
  settings.upstreams["default"].connection_age = seconds(20);
  reload(configure({first_server}, 1));
  for (int i = 0; i < 14; ++i) {
    pool->give_back(take(*pool), false);
    loop.advance(seconds(3));
  }
  EXPECT_EQ(upstream.connections, 2);
}

TEST_F(PoolPressure, AnIdleConnectionSaysQuitAtItsAge) {
  settings.upstreams["default"].connection_age = seconds(20);
  reload(configure({first_server}, 1));
  pool->give_back(take(*pool), false);
  loop.advance(seconds(22));
  EXPECT_EQ(pool->idle(), 0u);
  EXPECT_EQ(upstream.commands.back(), "QUIT");
}

TEST_F(PoolPressure, AConnectionCarriesSoManyMails) {
  for (const bool by_server : {false, true}) {
    SCOPED_TRACE(by_server);
    settings.upstreams["default"].connection_mails = by_server ? 100 : 4;
    upstream.replies["EHLO"] = by_server ? "250-upstream.example\r\n250 LIMITS MAILMAX=4 RCPTMAX=50\r\n"
                                         : "250-upstream.example\r\n250 LIMITS MAILMAX=7\r\n";
    upstream.connections = 0;
    reload(configure({first_server}, 1));
    loop.run_until_done(pool->close_idle());
    for (int i = 0; i < 12; ++i) {
      Lease lease = take(*pool);
      lease->count_mail();
      pool->give_back(std::move(lease), false);
      loop.run();
    }
    EXPECT_EQ(upstream.connections, 3);
    EXPECT_EQ(upstream.commands.back(), "QUIT");
  }
}

TEST_F(PoolPressure, AConnectionWithManyRefusalsIsNotKept) {
  Lease lease = take(*pool);
  for (int i = 0; i < 9; ++i) lease->count_refusal();
  pool->give_back(std::move(lease), false);
  loop.run();
  EXPECT_EQ(pool->idle(), 0u);
}

TEST_F(PoolPressure, NoneIsKeptWhereNoneShallBe) {
  settings.upstreams["default"].connection_idle = seconds(0);
  reload(configure({first_server}, 1));
  pool->give_back(take(*pool), false);
  loop.run();
  EXPECT_EQ(pool->idle(), 0u);
  EXPECT_EQ(server().connections(), 0u);
}

}  // namespace
}  // namespace sallyport::upstream
