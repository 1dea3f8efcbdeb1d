// What servers have offered, over a restart.
#include "gateway/state/server_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/lines_log.h"

namespace sallyport::state {
namespace {

using testing::ElementsAre;

const WallTime some_day{std::chrono::hours(24 * 20000)};

class ServerMemoryTest : public testing::Test {
 protected:
  ServerMemoryTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-state-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    open();
  }
  ~ServerMemoryTest() override {
    store.reset();
    std::filesystem::remove_all(folder);
  }

  void open() {
    store.reset();
    store = std::make_unique<Store>(Database::open(database_path(folder), Database::Missing::create).value(), counters,
                                    log);
  }
  void remember(const RememberedServer& server, WallTime seen) { ServerMemory(*store).remember(server, seen); }
  std::vector<RememberedServer> read(WallTime now) {
    store->flush();
    return ServerMemory::read(*Database::open(database_path(folder), Database::Missing::fail).value(), now).value();
  }

  std::string folder;
  Counters counters;
  support::LinesLog log;
  std::unique_ptr<Store> store;
};

TEST_F(ServerMemoryTest, KnowsWhoWasThereWithinTheLastDay) {
  const RememberedServer one{"default", "10.0.0.5:25", "mail.acme.internal", ""};
  const RememberedServer gone{"default", "10.0.0.6:25", "mail.acme.internal", ""};
  remember(one, some_day);
  remember(gone, some_day - std::chrono::hours(26));
  store->flush();
  const auto database = Database::open(database_path(folder), Database::Missing::fail).value();
  EXPECT_THAT(ServerMemory::read_recent(*database, some_day + std::chrono::minutes(1)).value(), ElementsAre(one));
}

TEST_F(ServerMemoryTest, HasTheLastWordOfEachServerTheLatestFirst) {
  const RememberedServer one{"default", "10.0.0.5:25", "", "8BITMIME\nDSN"};
  const RememberedServer two{"default", "10.0.0.6:25", "mail.acme.internal", ""};
  RememberedServer changed = one;
  changed.offers = "8BITMIME\nSIZE 1000";
  remember(one, some_day);
  remember(two, some_day + std::chrono::seconds(1));
  EXPECT_THAT(read(some_day), ElementsAre(two, one));
  remember(changed, some_day + std::chrono::seconds(2));
  remember({"other", "10.0.0.5:25", "", "DSN"}, some_day);
  open();
  EXPECT_THAT(read(some_day), ElementsAre(changed, two, RememberedServer{"other", "10.0.0.5:25", "", "DSN"}));
}

TEST_F(ServerMemoryTest, ForgetsServersThatHaveLongNotBeenSeen) {
  const RememberedServer old{"default", "10.0.0.5:25", "", ""};
  const RememberedServer recent{"default", "10.0.0.6:25", "", ""};
  remember(old, some_day);
  remember(recent, some_day + ServerMemory::keep_for);
  EXPECT_THAT(read(some_day + ServerMemory::keep_for + std::chrono::minutes(1)), ElementsAre(recent));
  EXPECT_THAT(read(some_day), ElementsAre(recent)) << "it is gone from the table";
}

TEST_F(ServerMemoryTest, ForgetsNothingByAClockThatIsSetWrong) {
  const RememberedServer one{"default", "10.0.0.5:25", "", "DSN"};
  const RememberedServer two{"default", "10.0.0.6:25", "", ""};
  remember(one, some_day);
  remember(two, some_day + std::chrono::hours(1));
  for (const int years : {10, -10, 1, -1, 0}) {
    open();
    EXPECT_THAT(read(some_day + std::chrono::days(365 * years)), ElementsAre(two, one)) << years;
  }
  // What is written by the wrong clock makes it no better.
  remember(two, some_day + std::chrono::days(3650));
  open();
  EXPECT_THAT(read(some_day + std::chrono::days(3650)), ElementsAre(two, one));
  EXPECT_THAT(read(some_day), ElementsAre(two, one));
}

}  // namespace
}  // namespace sallyport::state
