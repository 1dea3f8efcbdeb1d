// The database file, and the thread that writes it.
#include "gateway/state/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/lines_log.h"

namespace sallyport::state {
namespace {

using testing::HasSubstr;

class StateFile : public testing::Test {
 protected:
  StateFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-state-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    path = database_path(folder);
  }
  ~StateFile() override { std::filesystem::remove_all(folder); }

  std::unique_ptr<Database> open() {
    auto opened = Database::open(path, Database::Missing::create);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return std::move(*opened);
  }
  std::string refusal() {
    auto opened = Database::open(path, Database::Missing::create);
    return opened ? "opened" : opened.error().message;
  }
  // As another program would.
  void run_sql(const char* sql) {
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(other);
    sqlite3_close(other);
  }
  std::string content() {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::int64_t rows() {
    auto database = open();
    auto statement = database->prepare("SELECT count(*) FROM dmarc_sent").value();
    EXPECT_TRUE(statement.step().value());
    return statement.number(0);
  }

  std::string folder;
  std::string path;
  Counters counters;
  support::LinesLog log;
};

Store::Write insert(std::int64_t day) {
  return [day](Database& database) -> Result<Done> {
    auto statement = database.prepare("INSERT INTO dmarc_sent VALUES (?, 'id', 'mailto:a@example.org', 0)");
    if (!statement) return std::move(statement).error();
    return statement->bind(day).run();
  };
}

TEST_F(StateFile, IsMadeWithItsTablesAndOpensAgain) {
  open();
  EXPECT_EQ(rows(), 0);
}

TEST_F(StateFile, IsNotMadeWhereItMustBeThere) {
  auto opened = Database::open(path, Database::Missing::fail);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("state.db: unable to open"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(StateFile, OfSomethingElseIsLeftAsItIs) {
  std::ofstream(path) << std::string(5000, 'x');
  const std::string before = content();
  EXPECT_THAT(refusal(), HasSubstr("state.db: file is not a database"));
  EXPECT_EQ(content(), before);
}

TEST_F(StateFile, OfAnotherProgramIsLeftAsItIs) {
  run_sql("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
  const std::string before = content();
  EXPECT_THAT(refusal(), HasSubstr("the database of another program"));
  EXPECT_EQ(content(), before);
  run_sql("PRAGMA application_id = 7");
  EXPECT_THAT(refusal(), HasSubstr("the database of another program"));
}

TEST_F(StateFile, OfANewerVersionIsRefused) {
  open();
  run_sql("PRAGMA user_version = 1000");
  EXPECT_THAT(refusal(), HasSubstr("written by a newer version"));
}

TEST_F(StateFile, ThatIsDamagedIsRefused) {
  {
    Store store(open(), counters, log);
    for (int day = 0; day < 2000; ++day) store.submit(insert(day));
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(0, std::ios::end);
  const auto size = file.tellp();
  ASSERT_GT(size, 40000);
  for (std::streamoff at = 4096 * 3; at + 4096 <= size; at += 4096) {
    file.seekp(at);
    file << std::string(64, '\xff');
  }
  file.close();
  EXPECT_THAT(refusal(), testing::AnyOf(HasSubstr("damaged"), HasSubstr("malformed")));
}

TEST_F(StateFile, ThatIsDamagedIsSetAside) {
  std::ofstream(path) << std::string(9000, 'x');
  const WallTime now{std::chrono::seconds(1234567890)};
  ASSERT_TRUE(open_or_set_aside(path, counters, log, now));
  EXPECT_EQ(rows(), 0);
  const std::string aside = path + ".damaged-1234567890";
  EXPECT_EQ(std::filesystem::file_size(aside), 9000u);
  EXPECT_EQ(counters.get(Fault::state), 1u);
  ASSERT_EQ(log.lines.size(), 1u);
  EXPECT_THAT(log.lines[0], HasSubstr("it is kept as " + aside));
  // A second time within the same second.
  std::ofstream(path) << std::string(8000, 'y');
  std::filesystem::remove(path + "-wal");
  std::filesystem::remove(path + "-shm");
  ASSERT_TRUE(open_or_set_aside(path, counters, log, now));
  EXPECT_EQ(std::filesystem::file_size(aside), 9000u);
  EXPECT_EQ(std::filesystem::file_size(aside + "x"), 8000u);
}

// Whatever stands there that cannot be used: it is kept under another name, told, and a new one is begun.
TEST_F(StateFile, ThatCannotBeUsedIsSetAside) {
  namespace fs = std::filesystem;
  const auto overwrite = [this](std::streamoff at, const std::string& octets) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << octets;
  };
  const std::vector<std::pair<std::string, std::function<void()>>> harms{
      {"no header", [&] { overwrite(0, std::string(100, 'x')); }},
      {"a header of zeros", [&] { overwrite(0, std::string(4096, '\0')); }},
      {"a page of zeros", [&] { overwrite(4096 * 5, std::string(4096, '\0')); }},
      {"the second half missing", [&] { fs::resize_file(path, fs::file_size(path) / 2); }},
      {"a few octets left", [&] { fs::resize_file(path, 60); }},
      {"a newer version", [&] { run_sql("PRAGMA user_version = 1000"); }},
      {"no version", [&] { run_sql("PRAGMA user_version = -1"); }},
      {"a directory", [&] { fs::remove(path), fs::create_directory(path); }},
      {"a directory that is not empty",
       [&] {
         fs::remove(path);
         fs::create_directories(path + "/inner");
       }},
      {"a directory for its log", [&] { fs::create_directory(path + "-wal"); }},
      {"a dangling link for its log", [&] { fs::create_symlink("/nonexistent/x", path + "-wal"); }},
  };
  for (const auto& [what, harm] : harms) {
    SCOPED_TRACE(what);
    for (const auto& entry : fs::directory_iterator(fs::path(path).parent_path())) fs::remove_all(entry.path());
    {
      Store store(open(), counters, log);
      for (int day = 0; day < 2000; ++day) store.submit(insert(day));
    }
    run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(path + suffix);
    harm();
    log.lines.clear();
    const auto faults = counters.get(Fault::state);
    auto opened = open_or_set_aside(path, counters, log, WallTime(std::chrono::seconds(1234567890)));
    ASSERT_TRUE(opened) << opened.error().message;
    Store store(std::move(*opened), counters, log);
    store.submit(insert(7));
    store.flush();
    EXPECT_EQ(counters.get(Fault::state) - faults, 1u);
    ASSERT_EQ(log.lines.size(), 1u);
    EXPECT_THAT(log.lines[0], HasSubstr("it is kept as " + path + ".damaged-1234567890"));
    EXPECT_TRUE(fs::exists(fs::symlink_status(path + ".damaged-1234567890")));
    EXPECT_EQ(rows(), 1);
  }
}

// Another process holds the file for longer than a try waits: what is written meanwhile is written then.
TEST_F(StateFile, ALockOfAnotherProcessLosesNothing) {
  Store store(open(), counters, log);
  auto other = open();
  ASSERT_TRUE(other->execute("BEGIN EXCLUSIVE"));
  for (int day = 0; day < 500; ++day) store.submit(insert(day));
  std::this_thread::sleep_for(std::chrono::milliseconds(10500));
  for (int day = 500; day < 1000; ++day) store.submit(insert(day));
  ASSERT_TRUE(other->execute("COMMIT"));
  store.flush();
  EXPECT_EQ(rows(), 1000);
  EXPECT_EQ(counters.get(Fault::state), 0u);
}

TEST_F(StateFile, OfAnotherProgramIsNotSetAside) {
  run_sql("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
  const std::string before = content();
  auto opened = open_or_set_aside(path, counters, log, WallTime());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("the database of another program"));
  EXPECT_EQ(content(), before);
  EXPECT_TRUE(log.lines.empty());
}

TEST_F(StateFile, HasWhatWasWrittenBeforeTheStoreEnded) {
  {
    Store store(open(), counters, log);
    for (int day = 0; day < 500; ++day) store.submit(insert(day));
  }
  EXPECT_EQ(rows(), 500);
  EXPECT_EQ(counters.get(Fault::state), 0u);
}

TEST_F(StateFile, FlushWaitsForWhatIsQueued) {
  Store store(open(), counters, log);
  store.submit(insert(1));
  store.flush();
  EXPECT_EQ(rows(), 1);
}

TEST_F(StateFile, FailingWritesAreCountedAndTheNextOnesGoOn) {
  Store store(open(), counters, log);
  store.submit([](Database& database) { return database.execute("INSERT INTO nowhere VALUES (1)"); });
  store.flush();
  EXPECT_EQ(counters.get(Fault::state), 1u);
  store.submit([](Database&) -> Result<Done> { throw std::bad_alloc(); });
  store.flush();
  EXPECT_EQ(counters.get(Fault::state), 2u);
  store.submit(insert(1));
  store.flush();
  EXPECT_EQ(rows(), 1);
}

TEST_F(StateFile, AFullDiskLosesRecordsAndNothingElse) {
  auto database = open();
  ASSERT_TRUE(database->execute("PRAGMA max_page_count = 10"));
  Store store(std::move(database), counters, log);
  const std::string large(8000, 'x');
  for (int day = 0; day < 20; ++day) {
    store.submit([day, large](Database& file) -> Result<Done> {
      auto statement = file.prepare("INSERT INTO dmarc_sent VALUES (?, ?, 'b', 0)");
      if (!statement) return std::move(statement).error();
      return statement->bind(std::int64_t{day}).bind(large).run();
    });
    store.flush();
  }
  EXPECT_GT(counters.get(Fault::state), 0u);
  EXPECT_EQ(rows() + static_cast<std::int64_t>(counters.get(Fault::state)), 20);
}

TEST_F(StateFile, AFullQueueDropsAndDoesNotWait) {
  Store store(open(), counters, log, 2);
  std::promise<void> go_on;
  std::promise<void> begun;
  store.submit([&](Database&) -> Result<Done> {
    begun.set_value();
    go_on.get_future().wait();
    return Done{};
  });
  begun.get_future().wait();  // the writer is busy now
  for (int day = 0; day < 5; ++day) store.submit(insert(day));
  EXPECT_EQ(counters.get(Fault::state), 3u);
  go_on.set_value();
  store.flush();
  EXPECT_EQ(rows(), 2);
}

// ---- statements that are used again

TEST_F(StateFile, AStatementPreparedAgainHasNoValuesOfTheOneBefore) {
  auto database = open();
  constexpr std::string_view insert_row = "INSERT INTO dmarc_sent VALUES (?, ?, 'mailto:a@example.org', 0)";
  ASSERT_TRUE(database->prepare(insert_row)->bind(std::int64_t{1}).bind("id").run());
  auto half = database->prepare(insert_row);
  EXPECT_FALSE(half->bind(std::int64_t{2}).run());  // report_id is missing, and must not be the one before
  EXPECT_EQ(rows(), 1);
  // What has failed can be used again.
  EXPECT_TRUE(half->bind(std::int64_t{2}).bind("id").run());
  EXPECT_TRUE(database->prepare(insert_row)->bind(std::int64_t{3}).bind("id").run());
  EXPECT_EQ(rows(), 3);
}

TEST_F(StateFile, StatementsOfOneTextDoNotDisturbEachOther) {
  auto database = open();
  for (std::int64_t day : {1, 2, 3}) ASSERT_TRUE(insert(day)(*database));
  constexpr std::string_view select = "SELECT day FROM dmarc_sent ORDER BY day";
  { auto before = database->prepare(select); }
  auto outer = database->prepare(select);
  ASSERT_TRUE(outer->step().value());
  auto inner = database->prepare(select);
  ASSERT_TRUE(inner->step().value());
  EXPECT_EQ(inner->number(0), 1);
  ASSERT_TRUE(outer->step().value());
  EXPECT_EQ(outer->number(0), 2);
  EXPECT_EQ(inner->number(0), 1);
}

// One that was left at a row would keep the log of the file from being taken over, and it would grow for ever.
TEST_F(StateFile, AStatementLeftAtARowHoldsNothingUp) {
  auto database = open();
  for (std::int64_t day : {1, 2, 3}) ASSERT_TRUE(insert(day)(*database));
  {
    auto rows_of = database->prepare("SELECT day FROM dmarc_sent");
    ASSERT_TRUE(rows_of->step().value());
  }
  ASSERT_TRUE(insert(4)(*database));
  run_sql("PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_EQ(std::filesystem::file_size(path + "-wal"), 0u);
}

TEST_F(StateFile, AStatementIsRightAfterTheTablesHaveChanged) {
  auto database = open();
  constexpr std::string_view select = "SELECT * FROM dmarc_sent";
  ASSERT_TRUE(insert(1)(*database));
  ASSERT_TRUE(database->prepare(select)->step().value());
  run_sql("ALTER TABLE dmarc_sent RENAME TO old; CREATE TABLE dmarc_sent AS SELECT day + 100 AS day FROM old");
  auto again = database->prepare(select);
  ASSERT_TRUE(again->step().value());
  EXPECT_EQ(again->number(0), 101);
}

TEST_F(StateFile, OfManyStatementsTheLastAreKept) {
  auto database = open();
  for (int i = 0; i < 1000; ++i) {
    const std::string sql = "SELECT " + std::to_string(i % 100);
    auto number = database->prepare(sql);
    ASSERT_TRUE(number->step().value());
    EXPECT_EQ(number->number(0), i % 100);
  }
}

// ---- what gathers before it is written

Store::Write insert_and_tell(std::int64_t day, std::promise<void>& done) {
  return [day, &done](Database& database) {
    auto written = insert(day)(database);
    done.set_value();
    return written;
  };
}

TEST_F(StateFile, WritesThatFollowAnotherAreOneTransaction) {
  Store store(open(), counters, log, 10000, std::chrono::hours(1));
  std::promise<void> first;
  store.submit(insert_and_tell(0, first));
  first.get_future().wait();  // nothing was written for a while: at once
  for (int day = 1; day < 100; ++day) store.submit(insert(day));
  store.submit(
      [](Database&) -> Result<Done> { return Failure{"a failure, which takes its whole transaction with it"}; });
  store.flush();
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(counters.get(Fault::state), 100u);
}

TEST_F(StateFile, WritesGatherNoLongerThanThereIsRoom) {
  Store store(open(), counters, log, 10, std::chrono::hours(1));
  std::promise<void> first;
  store.submit(insert_and_tell(0, first));
  first.get_future().wait();
  store.flush();
  for (int day = 1; day < 6; ++day) store.submit(insert(day));
  std::promise<void> last;
  store.submit(insert_and_tell(6, last));
  last.get_future().wait();
  EXPECT_EQ(counters.get(Fault::state), 0u);
}

TEST_F(StateFile, WhatGathersIsWrittenWhenTheStoreEnds) {
  {
    Store store(open(), counters, log, 10000, std::chrono::hours(1));
    std::promise<void> first;
    store.submit(insert_and_tell(0, first));
    first.get_future().wait();
    for (int day = 1; day < 10; ++day) store.submit(insert(day));
  }
  EXPECT_EQ(rows(), 10);
}

}  // namespace
}  // namespace sallyport::state
