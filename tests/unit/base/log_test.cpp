#include "gateway/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <thread>

#include "gateway/base/counters.h"
#include "gateway/base/journal_socket.h"
#include "tests/unit/base/log_files.h"

namespace sallyport {
namespace {

const std::regex time_form(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");

TEST_F(LogFile, HasOneLinePerEvent) {
  auto log = open_checked(settings(), counters);
  log->write(LogLevel::info, "ready", {});
  log->write(LogLevel::error, "fault", {{"kind", "spool"}, {"why", "disk\nfull"}});
  log.reset();
  ASSERT_EQ(lines().size(), 2u);
  EXPECT_TRUE(std::regex_match(lines()[0].substr(0, 24), time_form)) << lines()[0];
  EXPECT_EQ(lines()[0].substr(24), " info event=ready");
  EXPECT_EQ(lines()[1].substr(24), R"( error event=fault kind=spool why="disk\nfull")");
  EXPECT_EQ(counters.get(Fault::log), 0u);
}

TEST_F(LogFile, SpeaksJson) {
  auto log = open_checked(settings(LogFormat::json), counters);
  log->write(LogLevel::info, "transaction", {{"id", "01"}, {"from", "a@b", true}, {"ms", 12}});
  log.reset();
  ASSERT_EQ(lines().size(), 1u);
  auto json = nlohmann::json::parse(lines()[0]);
  EXPECT_TRUE(std::regex_match(json["time"].get<std::string>(), time_form));
  EXPECT_EQ(json["level"], "info");
  EXPECT_EQ(json["event"], "transaction");
  EXPECT_EQ(json["from"], "a@b");
  EXPECT_EQ(json["ms"], 12);
}

TEST_F(LogFile, LeavesOutWhatIsBelowItsLevel) {
  auto log = open_checked(settings(LogFormat::text, LogLevel::warning), counters);
  log->write(LogLevel::debug, "a", {});
  log->write(LogLevel::info, "b", {});
  log->write(LogLevel::warning, "c", {});
  log->write(LogLevel::error, "d", {});
  log.reset();
  EXPECT_EQ(lines().size(), 2u);
}

TEST_F(LogFile, IsAppendedToAndReadableByOurGroupOnly) {
  ::mode_t before = ::umask(0);
  open_checked(settings(), counters)->write(LogLevel::info, "first", {});
  ::umask(before);
  open_checked(settings(), counters)->write(LogLevel::info, "second", {});
  EXPECT_EQ(lines().size(), 2u);
  struct ::stat status;
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST_F(LogFile, KeepsALineWithinItsBound) {
  auto log = open_checked(settings(), counters);
  std::string big(5000, 'x');
  log->write(LogLevel::info, "x", std::vector<LogField>(30, LogField{"field", big}));
  log.reset();
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_LE(lines()[0].size() + 1, 8192u);
  EXPECT_GT(lines()[0].size(), 7000u);
}

TEST_F(LogFile, KeepsLinesOfManyThreadsApart) {
  auto log = open_checked(settings(LogFormat::json), counters);
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 4; ++worker) {
    threads.emplace_back([&log, worker] {
      for (int n = 0; n < 500; ++n) {
        log->write(LogLevel::info, "transaction",
                   {{"id", worker * 1000 + n}, {"pad", std::string(static_cast<std::size_t>(n), 'p')}});
        if (n % 10 == 0) log->write(LogLevel::warning, "fault", {{"kind", "spool"}, {"worker", worker}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  log.reset();
  std::set<int> ids;
  for (const std::string& line : lines()) {
    auto json = nlohmann::json::parse(line);
    if (json["event"] == "transaction") EXPECT_TRUE(ids.insert(json["id"].get<int>()).second);
  }
  EXPECT_EQ(ids.size(), 2000u);
}

TEST_F(LogFile, FoldsEqualFaultsWithACount) {
  auto log = open_checked(settings(), counters);
  for (int i = 0; i < 100; ++i) log->write(LogLevel::warning, "fault", {{"kind", "dns_timeout"}});
  log->write(LogLevel::info, "transaction", {{"id", "1"}});
  log->write(LogLevel::warning, "fault", {{"kind", "dns_timeout"}});
  // Only what the caller has written comes: the last of these lines is no fault, and tells nothing of the others.
  ASSERT_EQ(lines(2).size(), 2u);
  EXPECT_EQ(lines()[0].substr(24), " warning event=fault kind=dns_timeout");
  EXPECT_EQ(lines()[1].substr(24), " info event=transaction id=1");
  log->write(LogLevel::error, "fault", {{"kind", "spool"}});
  ASSERT_EQ(lines(4).size(), 4u);
  EXPECT_EQ(lines()[2].substr(24), " warning event=fault kind=dns_timeout repeated=100");
  EXPECT_EQ(lines()[3].substr(24), " error event=fault kind=spool");
  log->write(LogLevel::error, "fault", {{"kind", "spool"}});
  log.reset();
  ASSERT_EQ(lines().size(), 5u);
  EXPECT_EQ(lines()[4].substr(24), " error event=fault kind=spool repeated=1");
}

TEST_F(LogFile, NeverFoldsTransactionsOrConnections) {
  auto log = open_checked(settings(), counters);
  for (int i = 0; i < 3; ++i) {
    log->write(LogLevel::info, "transaction", {{"id", "same"}});
    log->write(LogLevel::info, "connection", {{"ip", "192.0.2.1"}});
    log->write(LogLevel::info, "connection", {{"ip", "192.0.2.1"}});
  }
  log.reset();
  EXPECT_EQ(lines().size(), 9u);
}

TEST(LogTarget, FullDiskLosesTheLineAndCounts) {
  Counters counters;
  auto log = open_checked({LogFormat::text, "file:/dev/full", LogLevel::info}, counters);
  EXPECT_TRUE(log->write(LogLevel::info, "transaction", {{"id", "1"}}));
  // Then the log knows that its disk is full.
  EXPECT_TRUE(eventually([&] { return counters.get(Fault::log) == 1; }));
  EXPECT_FALSE(log->write(LogLevel::info, "transaction", {{"id", "2"}}));
  log.reset();
  EXPECT_EQ(counters.get(Fault::log), 2u);
}

// A file that may not grow takes a line in part; what follows must not be glued to that part.
TEST_F(LogFile, AfterHalfALineANewOneBegins) {
  auto log = open_checked(settings(), counters);
  log->write(LogLevel::info, "first", {});
  lines(1);
  ::rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::rlimit small = before;
  small.rlim_cur = 60;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  log->write(LogLevel::info, "second", {{"value", std::string(100, 'v')}});
  log->write(LogLevel::info, "third", {});
  EXPECT_TRUE(eventually([&] { return counters.get(Fault::log) == 2; }));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  log->write(LogLevel::info, "fourth", {});
  log->write(LogLevel::info, "fifth", {});
  log.reset();
  EXPECT_EQ(counters.get(Fault::log), 2u);
  ASSERT_EQ(lines().size(), 5u);
  EXPECT_EQ(lines()[0].substr(24), " info event=first");
  EXPECT_EQ(lines()[2].substr(24), " warning event=log_lost lost=2");
  EXPECT_EQ(lines()[3].substr(24), " info event=fourth");
  EXPECT_EQ(lines()[4].substr(24), " info event=fifth");
}

TEST_F(LogFile, StderrAndJournal) {
  if (std::filesystem::exists(JournalSocket::usual_path)) GTEST_SKIP() << "a journal runs here, and takes the lines";
  {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const StderrInstead capture(file);
    ::close(file);
    open_checked({LogFormat::text, "stderr", LogLevel::info}, counters)->write(LogLevel::info, "plain", {});
    auto journal = open_checked({LogFormat::text, "journal", LogLevel::debug}, counters);
    journal->write(LogLevel::debug, "d", {});
    journal->write(LogLevel::info, "i", {});
    journal->write(LogLevel::warning, "w", {});
    journal->write(LogLevel::error, "e", {});
    journal.reset();
    open_checked({LogFormat::json, "journal", LogLevel::info}, counters)->write(LogLevel::error, "j", {});
  }
  ASSERT_EQ(lines().size(), 6u);
  EXPECT_EQ(lines()[0].substr(24), " info event=plain");
  EXPECT_EQ(lines()[1].substr(0, 4), "<7>2");
  EXPECT_EQ(lines()[2].substr(0, 4), "<6>2");
  EXPECT_EQ(lines()[3].substr(0, 4), "<4>2");
  EXPECT_EQ(lines()[4].substr(0, 4), "<3>2");
  EXPECT_EQ(lines()[5].substr(0, 4), "<3>{");
  EXPECT_EQ(::fcntl(STDERR_FILENO, F_GETFD) >= 0, true);  // a log of stderr does not close it
}

TEST(LogTarget, SaysWhatIsWrongWithIt) {
  Counters counters;
  auto unknown = open_log({LogFormat::text, "syslog", LogLevel::info}, counters);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "log target \"syslog\" is none of stderr, journal, journal:/path, file:/path");
  EXPECT_FALSE(open_log({LogFormat::text, "file:", LogLevel::info}, counters));
  auto missing = open_log({LogFormat::text, "file:/nowhere/at/all.log", LogLevel::info}, counters);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "cannot open the log /nowhere/at/all.log: No such file or directory, at \"nowhere\"");
}

}  // namespace
}  // namespace sallyport
