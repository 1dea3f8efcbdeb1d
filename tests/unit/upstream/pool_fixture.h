// Pools without sessions: of one worker or several, before servers of a test.
#pragma once

#include <gtest/gtest.h>

#include "gateway/upstream/pool.h"
#include "gateway/upstream/registry.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/scripted_dialer.h"
#include "tests/unit/upstream/line_server.h"

namespace sallyport::upstream {

inline const SocketAddress first_server = *SocketAddress::parse("10.0.0.5:25");
inline const SocketAddress second_server = *SocketAddress::parse("10.0.0.6:25");

class PoolFixture : public testing::Test {
 protected:
  using Lease = UpstreamPool::Lease;

  PoolFixture() {
    dialer.serve(first_server, [this](auto stream) { return upstream.serve(std::move(stream)); });
    dialer.serve(second_server, [this](auto stream) { return upstream.serve(std::move(stream)); });
    settings.hostname = "mx.example.com";
    config::UpstreamSettings& group = settings.upstreams["default"];
    group.name = "default";
    group.balance = config::Balance::failover;
    group.tls.mode = tls::UpstreamTls::off;
    groups = configure({first_server}, 1);
    pool = make_pool();
  }

  UpstreamGroups configure(std::vector<Endpoint> servers, std::uint64_t max_connections) {
    settings.upstreams["default"].servers = std::move(servers);
    settings.upstreams["default"].max_connections = max_connections;
    return registry.make_groups(settings, {});
  }
  std::unique_ptr<UpstreamPool> make_pool() {
    return std::make_unique<UpstreamPool>(loop.scheduler(), dialer, counters, log, groups);
  }
  // Workers that tell each other of places; on one loop here, and so each is told in a step of its own.
  void share(UpstreamPool& one) {
    one.share_places_with(registry.neighbours(),
                          [this](std::function<void()> told) { calls.spawn(tell(std::move(told))); });
  }
  Task<void> tell(std::function<void()> told) {
    co_await async::sleep_for(loop.scheduler(), std::chrono::milliseconds(1));
    told();
  }
  UpstreamServer& server(std::size_t index = 0) { return *groups.at("default")->servers[index]; }
  // As sessions do: those that begin now ask for the new groups, whoever holds the old ones goes on with them.
  void reload(UpstreamGroups next) {
    groups = std::move(next);
    pool->adopt(groups);
  }

  // Asks for a connection and notes its name when it has one.
  Task<void> ask(UpstreamPool& from, std::string name, Lease& lease, async::Payer payer = 0) {
    std::shared_ptr<UpstreamGroup> group = groups.at("default");
    std::vector<FailedServer> failed;
    auto got =
        co_await from.acquire(*group, failed, {.deadline = loop.now() + std::chrono::seconds(30), .payer = payer});
    if (got) lease = std::move(*got);
    served.push_back(got ? name : name + " in vain");
  }

  support::ManualLoop loop;
  Counters counters;
  support::LinesLog log;
  support::ScriptedDialer dialer{loop.scheduler()};
  LineServer upstream;
  UpstreamRegistry registry;
  async::Nursery calls{loop.scheduler()};
  config::Settings settings;
  UpstreamGroups groups;
  std::unique_ptr<UpstreamPool> pool;
  std::vector<std::string> served;
};

}  // namespace sallyport::upstream
