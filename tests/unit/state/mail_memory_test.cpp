// What rules remember: bounded, each tenant for itself, over a restart, and through a store that fails (threats.md R16,
// R17).
#include "gateway/state/mail_memory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"

namespace sallyport::state {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration month = hours(24 * 30);

class MailMemoryTest : public testing::Test {
 protected:
  MailMemoryTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-state-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    begin();
  }
  ~MailMemoryTest() override {
    store.reset();
    memory.reset();
    std::filesystem::remove_all(folder);
  }

  void begin() {
    MailMemory::Options options = bounds;
    options.hash_key = {random_word++, random_word++};
    memory = std::make_unique<MailMemory>(options, [this] { return now; });
  }
  void open_store() {
    auto database = Database::open(database_path(folder), Database::Missing::create);
    ASSERT_TRUE(database) << database.error().message;
    ASSERT_TRUE(memory->read(**database, wall));
    store = std::make_unique<Store>(std::move(*database), counters, log);
    memory->keep_in(*store, [this] { return wall; });
  }
  // The process ends and begins anew; the monotonic clock too. `away`: by the clock on the wall.
  void restart(Duration away = seconds(1)) {
    store.reset();
    now = Time(minutes(random_word));
    wall += std::chrono::duration_cast<WallTime::duration>(away);
    begin();
    open_store();
  }
  void pass(Duration time) {
    now += time;
    wall += std::chrono::duration_cast<WallTime::duration>(time);
  }

  bool seen(const std::string& key, const std::string& tenant = "acme", Duration keep = month) {
    return loop.run_until_done(memory->see({tenant, "senders", key, origin}, keep)).is_known;
  }
  bool within(const std::string& key, const std::string& rate, const std::string& tenant = "acme") {
    return loop.run_until_done(memory->take({tenant, "rate", key}, *parse_rate(rate))).allowed;
  }
  std::string value(const std::string& key, const std::string& tenant = "acme") {
    return loop.run_until_done(memory->recall({tenant, "value", key})).value_or("nothing");
  }
  void put(const std::string& key, std::string value, const std::string& tenant = "acme") {
    memory->put({tenant, "value", key, origin}, std::move(value), month);
  }
  // How many of so many keys "other0", "other1" ... are still known.
  int others_known(int keys) {
    int known = 0;
    for (int i = 0; i < keys; ++i) known += value("other" + std::to_string(i)) == "theirs" ? 1 : 0;
    return known;
  }

  std::string folder;
  std::string origin;  // of the mails
  Counters counters;
  support::LinesLog log;
  support::ManualLoop loop;
  MailMemory::Options bounds;
  std::uint64_t random_word = 12345;
  Time now{hours(5)};
  WallTime wall{hours(24 * 20000)};
  std::unique_ptr<MailMemory> memory;
  std::unique_ptr<Store> store;
};

TEST_F(MailMemoryTest, KnowsWhatItHasSeenForAsLongAsItIsTold) {
  EXPECT_FALSE(seen("ann", "acme", hours(1)));
  EXPECT_TRUE(seen("ann", "acme", hours(1)));
  EXPECT_FALSE(seen("bob"));
  pass(minutes(59));
  EXPECT_TRUE(seen("ann", "acme", hours(1))) << "the time begins anew with each sight";
  pass(minutes(59));
  EXPECT_EQ(loop.run_until_done(memory->see({"acme", "senders", "ann"}, hours(1))).since, minutes(118));
  pass(hours(1));
  EXPECT_FALSE(seen("ann", "acme", hours(1)));
}

TEST_F(MailMemoryTest, CountsRates) {
  EXPECT_TRUE(within("ann", "2/1h"));
  EXPECT_TRUE(within("ann", "2/1h"));
  EXPECT_FALSE(within("ann", "2/1h"));
  EXPECT_TRUE(within("bob", "2/1h"));
  pass(minutes(30));
  EXPECT_TRUE(within("ann", "2/1h"));
  EXPECT_FALSE(within("ann", "2/1h"));
}

TEST_F(MailMemoryTest, TenantsAndKindsDoNotMeet) {
  seen("ann");
  put("ann", "1");
  EXPECT_FALSE(seen("ann", "other"));
  EXPECT_EQ(value("ann", "other"), "nothing");
  EXPECT_EQ(value("ann"), "1");
  EXPECT_TRUE(within("ann", "1/1h"));
  EXPECT_TRUE(within("ann", "1/1h", "other"));
  EXPECT_FALSE(within("ann", "1/1h"));
  EXPECT_FALSE(loop.run_until_done(memory->see({"acme", "senders", "an"}, month)).is_known);
  EXPECT_FALSE(loop.run_until_done(memory->see({"acme", "sendersa", "nn"}, month)).is_known)
      << "name and key are apart";
}

TEST_F(MailMemoryTest, SurvivesARestart) {
  open_store();
  seen("ann");
  put("k", "{\"a\":1}");
  EXPECT_TRUE(within("ann", "1/1h"));
  pass(minutes(10));
  restart(minutes(10));
  EXPECT_TRUE(seen("ann"));
  EXPECT_FALSE(seen("bob"));
  EXPECT_EQ(value("k"), "{\"a\":1}");
  EXPECT_FALSE(within("ann", "1/1h")) << "its hour is not over";
  restart(hours(1));
  EXPECT_TRUE(within("ann", "1/1h"));
  restart(month + hours(1));
  EXPECT_EQ(value("k"), "{\"a\":1}") << "away so long, the clock is not believed";
}

TEST_F(MailMemoryTest, ForgetsNothingByAClockThatIsSetWrong) {
  open_store();
  seen("ann");
  EXPECT_TRUE(within("ann", "1/1h"));
  for (const int years : {10, -20, 5}) {
    restart(hours(24 * 365 * years));
    EXPECT_TRUE(seen("ann")) << years;
    EXPECT_FALSE(within("ann", "1/1h")) << years;
    pass(hours(1));
    EXPECT_TRUE(within("ann", "1/1h")) << "and nobody is held for longer " << years;
  }
}

TEST_F(MailMemoryTest, TheFileNamesNobody) {
  open_store();
  seen("somebody@example.org");
  store.reset();
  std::string octets;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream stream(file.path(), std::ios::binary);
    octets.append(std::istreambuf_iterator<char>(stream), {});
  }
  EXPECT_NE(octets.find("acme"), std::string::npos);
  EXPECT_EQ(octets.find("somebody"), std::string::npos);
}

// R16: known senders stay, whatever an attacker sends from new ones; what he wins is bounded.
TEST_F(MailMemoryTest, AFloodOfNewKeysPushesOutNoneThatHasProvenItself) {
  bounds.of_tenant.entries = 1000;
  begin();
  for (int i = 0; i < 700; ++i) seen("known" + std::to_string(i));
  pass(MemoryTable::proving_time);
  for (int i = 0; i < 700; ++i) EXPECT_TRUE(seen("known" + std::to_string(i)));
  for (int i = 0; i < 50'000; ++i) seen("flood" + std::to_string(i));
  EXPECT_LE(memory->size("acme"), 1000u);
  for (int i = 0; i < 700; ++i) EXPECT_TRUE(seen("known" + std::to_string(i))) << i;
  // Also one that sends everything twice in a row.
  for (int i = 0; i < 50'000; ++i) {
    seen("twice" + std::to_string(i));
    seen("twice" + std::to_string(i));
  }
  for (int i = 0; i < 700; ++i) EXPECT_TRUE(seen("known" + std::to_string(i))) << i;
}

TEST_F(MailMemoryTest, WhoIsLimitedCannotMakeRoomForHimself) {
  bounds.of_tenant.entries = 1000;
  begin();
  EXPECT_TRUE(within("eve", "1/1h"));
  EXPECT_FALSE(within("eve", "1/1h"));
  for (int i = 0; i < 20'000; ++i) within("eve" + std::to_string(i), "1/1h");
  EXPECT_FALSE(within("eve", "1/1h"));
}

TEST_F(MailMemoryTest, EntriesAndOctetsAreBoundedForATenantAndForAll) {
  bounds.of_tenant = {1000, 100'000};
  bounds.of_all = {2000, 1'000'000};
  begin();
  for (int i = 0; i < 3000; ++i) put(std::to_string(i), std::string(1000, 'x'));
  EXPECT_LE(memory->size("acme"), 102u);
  for (int tenant = 0; tenant < 20; ++tenant) {
    for (int i = 0; i < 3000; ++i) seen(std::to_string(i), "t" + std::to_string(tenant));
  }
  for (int tenant = 0; tenant < 20; ++tenant) {
    for (int i = 0; i < 20; ++i) seen("more" + std::to_string(i), "t" + std::to_string(tenant));
  }
  EXPECT_LE(memory->size() - memory->size("acme"), 2000u);
  EXPECT_TRUE(seen("more19", "t0")) << "each has its share";
}

// R16: what one client's network can take from all others is a tenth of the room, though it has patience.
TEST_F(MailMemoryTest, OneOriginTakesAtMostATenthOfTheRoomFromAllOthers) {
  constexpr int others = 1000;
  bounds.of_tenant = {others, 1'000'000};
  begin();
  for (int i = 0; i < others; ++i) {
    origin = "origin" + std::to_string(i);
    put("other" + std::to_string(i), "theirs");
  }
  for (int round = 0; round < 4; ++round) {
    origin = "eve";
    // Used again after the time in which an entry proves itself, so that hers are established like any other's.
    for (int i = 0; i < 5'000; ++i) put("eve" + std::to_string(i), std::string(10, 'e'));
    pass(MemoryTable::proving_time);
    for (int i = 0; i < 5'000; ++i) value("eve" + std::to_string(i));
  }
  EXPECT_GE(others_known(others), others - others / 10 - 1);
  EXPECT_LE(memory->size(), std::size_t{others});
}

TEST_F(MailMemoryTest, OneOriginTakesAtMostATenthOfTheOctetsFromAllOthers) {
  constexpr int others = 200;
  bounds.of_tenant = {100'000, 200 * 1000};
  begin();
  for (int i = 0; i < others; ++i) {
    origin = "origin" + std::to_string(i);
    put("other" + std::to_string(i), "theirs");
    put("large" + std::to_string(i), std::string(990, 'x'));
  }
  origin = "eve";
  for (int i = 0; i < 1'000; ++i) put("eve" + std::to_string(i), std::string(1'000, 'e'));
  int known = 0;
  for (int i = 0; i < others; ++i) known += value("large" + std::to_string(i)).size() == 990 ? 1 : 0;
  EXPECT_GE(known, others - others / 10 - 3);
  EXPECT_GE(others_known(others), others - others / 10 - 3);
}

TEST_F(MailMemoryTest, LargeValuesPushOutNoSights) {
  bounds.of_tenant = {1000, 100'000};
  begin();
  for (int i = 0; i < 500; ++i) seen("known" + std::to_string(i));
  for (int i = 0; i < 1'000; ++i) put("v" + std::to_string(i), std::string(16'000, 'x'));
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(seen("known" + std::to_string(i))) << i;
}

TEST_F(MailMemoryTest, WhoOwnsAnEntryIsKnownAfterARestart) {
  bounds.of_tenant = {100, 1'000'000};
  begin();
  open_store();
  origin = "eve";
  for (int i = 0; i < 60; ++i) put("eve" + std::to_string(i), "hers");
  for (int i = 0; i < 40; ++i) {
    origin = "origin" + std::to_string(i);
    put("other" + std::to_string(i), "theirs");
  }
  restart();
  origin = "eve";
  for (int i = 100; i < 200; ++i) put("eve" + std::to_string(i), "hers");
  EXPECT_EQ(others_known(40), 40) << "hers are the first to go";
}

TEST_F(MailMemoryTest, AStartDeletesTheRowsWhoseTimeIsOver) {
  open_store();
  for (int i = 0; i < 50; ++i) seen("short" + std::to_string(i), "acme", hours(1));
  seen("long");
  restart(hours(2));
  EXPECT_EQ(memory->size("acme"), 1u);
  std::int64_t rows = -1;
  store->submit([&rows](Database& database) -> Result<Done> {
    auto count = database.prepare("SELECT count(*) FROM rule_memory");
    if (!count) return std::move(count).error();
    auto row = count->step();
    if (!row) return std::move(row).error();
    rows = count->number(0);
    return Done{};
  });
  store->flush();
  EXPECT_EQ(rows, 1);
}

TEST_F(MailMemoryTest, ManyChangesAreAllWritten) {
  open_store();
  for (int i = 0; i < 30'000; ++i) seen(std::to_string(i));
  restart();
  EXPECT_EQ(memory->size("acme"), 30'000u);
  EXPECT_TRUE(seen("29999"));
  EXPECT_EQ(log.find("fault"), "");
}

TEST_F(MailMemoryTest, WhatWasPushedOutDoesNotComeBack) {
  bounds.of_tenant.entries = 100;
  begin();
  open_store();
  for (int i = 0; i < 1000; ++i) seen(std::to_string(i));
  restart();
  EXPECT_EQ(memory->size("acme"), 100u);
  EXPECT_FALSE(seen("0"));
  EXPECT_TRUE(seen("999"));
}

// Rules go on in memory, and a fault is told.
TEST_F(MailMemoryTest, GoesOnWhenTheStoreCannotBeWritten) {
  open_store();
  store->submit([](Database& database) -> Result<Done> { return database.execute("DROP TABLE rule_memory"); });
  store->flush();
  EXPECT_FALSE(seen("ann"));
  store->flush();
  EXPECT_GT(counters.get(Fault::state), 0u);
  EXPECT_NE(log.find("rule_memory"), "");
  EXPECT_TRUE(seen("ann"));
  EXPECT_TRUE(within("ann", "1/1h"));
  EXPECT_FALSE(within("ann", "1/1h"));
}

// A transaction that fails, though by a mistake of others, takes the changes with it. They are written once the store
// works again.
TEST_F(MailMemoryTest, WhatATransactionHasLostIsWrittenLater) {
  open_store();
  // So that what follows is one transaction.
  std::promise<void> begun;
  std::promise<void> go;
  store->submit([&begun, &go](Database&) -> Result<Done> {
    begun.set_value();
    go.get_future().wait();
    return Done{};
  });
  begun.get_future().wait();
  seen("ann");
  store->submit([](Database&) -> Result<Done> { return Failure{"a mistake"}; });
  go.set_value();
  store->flush();
  EXPECT_NE(log.find("a mistake"), "");
  for (const char* other : {"bob", "eve"}) {
    seen(other);
    store->flush();
  }
  restart();
  for (const char* one : {"ann", "bob", "eve"}) EXPECT_TRUE(seen(one)) << one;
}

TEST_F(MailMemoryTest, GoesOnFromAStoreWhoseRowsMakeNoSense) {
  open_store();
  seen("ann");
  store->flush();
  store->submit([](Database& database) -> Result<Done> {
    return database.execute(
        "INSERT INTO rule_memory VALUES ('acme', 'xyz', -1, 9223372036854775807, 1, 1, 1, 7, 'x');"
        "INSERT INTO rule_memory VALUES ('acme', '000102030405060708090a0b0c0d0e0f', 0, 9223372036854775807, "
        "-9223372036854775807, 5, 6, 7, CAST(x'ff00' AS TEXT));");
  });
  store->flush();
  EXPECT_EQ(log.find("fault"), "");
  restart();
  EXPECT_TRUE(seen("ann"));
  EXPECT_FALSE(seen("bob"));
}

}  // namespace
}  // namespace sallyport::state
