// A milter pool of one worker, and a milter that agrees on terms and says nothing more.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "policies/milters/pool.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/scripted_dialer.h"
#include "tests/support/table_resolver.h"

namespace sallyport::policies {

class MilterPoolFixture : public testing::Test {
 protected:
  MilterPoolFixture() {
    milter.address.push_back(*Endpoint::parse("127.0.0.1:8891", 0));
    dialer.serve_all([this](std::unique_ptr<support::MemoryStream> stream) { return play_milter(std::move(stream)); });
  }

  static Client client_at(const std::string& ip) {
    Client client;
    client.ip = *IpAddress::parse(ip);
    return client;
  }
  // A connection, or null and why there is none.
  MilterPool::Acquired acquire(const MilterUser& user, Duration patience = std::chrono::seconds(1)) {
    return loop.run_until_done(pool.acquire(hub(), milter, user, resolver, loop.now() + patience, false));
  }
  MilterPool::Hub& hub() { return pool.hub_of(milter); }

  support::ManualLoop loop;
  support::ScriptedDialer dialer{loop.scheduler()};
  support::TableResolver resolver;
  support::LinesLog log;
  MilterSettings milter;
  MilterPool pool{loop.scheduler(), dialer, log};

 private:
  Task<void> play_milter(std::unique_ptr<support::MemoryStream> stream) {
    const std::string opening(4 + 13, '\0');
    while (stream->input().size() < opening.size()) {
      auto more = co_await stream->fill(async::no_deadline);
      if (!more) co_return;
    }
    // Its version and actions are ours, and it wants to hear all.
    std::string agreed(stream->input().substr(0, opening.size()));
    agreed.replace(agreed.size() - 4, 4, 4, '\0');
    stream->consume(opening.size());
    auto said = co_await stream->write(agreed, async::no_deadline);
    while (said) {
      stream->consume(stream->input().size());
      said = co_await stream->fill(async::no_deadline);
    }
  }
};

}  // namespace sallyport::policies
