#include "gateway/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <thread>

#include "gateway/base/counters.h"

namespace sallyport {
namespace {

// A directory that goes away with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "sallyport-log-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// What is written to stderr while it lives goes into a file.
class CapturedStderr {
 public:
  explicit CapturedStderr(const std::string& path) : kept_(::dup(STDERR_FILENO)) {
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(fd, STDERR_FILENO);
    ::close(fd);
  }
  ~CapturedStderr() {
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }

 private:
  int kept_;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::unique_ptr<Log> open(const LogSettings& settings, Counters& counters) {
  auto log = open_log(settings, counters);
  EXPECT_TRUE(log) << log.error().message;
  return *std::move(log);
}

struct LogFile : testing::Test {
  LogSettings settings(LogFormat format = LogFormat::text, LogLevel level = LogLevel::info) const {
    return {format, "file:" + path, level};
  }
  std::vector<std::string> lines() const { return lines_of(path); }

  TemporaryDirectory directory;
  std::string path = directory.file("log");
  Counters counters;
};

const std::regex time_form(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");

TEST_F(LogFile, HasOneLinePerEvent) {
  auto log = open(settings(), counters);
  log->write(LogLevel::info, "ready", {});
  log->write(LogLevel::error, "fault", {{"kind", "spool"}, {"why", "disk\nfull"}});
  ASSERT_EQ(lines().size(), 2u);
  EXPECT_TRUE(std::regex_match(lines()[0].substr(0, 24), time_form)) << lines()[0];
  EXPECT_EQ(lines()[0].substr(24), " info event=ready");
  EXPECT_EQ(lines()[1].substr(24), R"( error event=fault kind=spool why="disk\nfull")");
  EXPECT_EQ(counters.get(Fault::log), 0u);
}

TEST_F(LogFile, SpeaksJson) {
  auto log = open(settings(LogFormat::json), counters);
  log->write(LogLevel::info, "transaction", {{"id", "01"}, {"from", "a@b", true}, {"ms", 12}});
  ASSERT_EQ(lines().size(), 1u);
  auto json = nlohmann::json::parse(lines()[0]);
  EXPECT_TRUE(std::regex_match(json["time"].get<std::string>(), time_form));
  EXPECT_EQ(json["level"], "info");
  EXPECT_EQ(json["event"], "transaction");
  EXPECT_EQ(json["from"], "a@b");
  EXPECT_EQ(json["ms"], 12);
}

TEST_F(LogFile, LeavesOutWhatIsBelowItsLevel) {
  auto log = open(settings(LogFormat::text, LogLevel::warning), counters);
  log->write(LogLevel::debug, "a", {});
  log->write(LogLevel::info, "b", {});
  log->write(LogLevel::warning, "c", {});
  log->write(LogLevel::error, "d", {});
  EXPECT_EQ(lines().size(), 2u);
}

TEST_F(LogFile, IsAppendedToAndReadableByOurGroupOnly) {
  ::mode_t before = ::umask(0);
  open(settings(), counters)->write(LogLevel::info, "first", {});
  ::umask(before);
  open(settings(), counters)->write(LogLevel::info, "second", {});
  EXPECT_EQ(lines().size(), 2u);
  struct ::stat status;
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST_F(LogFile, KeepsALineWithinItsBound) {
  auto log = open(settings(), counters);
  std::string big(5000, 'x');
  log->write(LogLevel::info, "x", std::vector<LogField>(30, LogField{"field", big}));
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_LE(lines()[0].size() + 1, 8192u);
  EXPECT_GT(lines()[0].size(), 7000u);
}

TEST_F(LogFile, KeepsLinesOfManyThreadsApart) {
  auto log = open(settings(LogFormat::json), counters);
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
  std::set<int> ids;
  for (const std::string& line : lines()) {
    auto json = nlohmann::json::parse(line);
    if (json["event"] == "transaction") EXPECT_TRUE(ids.insert(json["id"].get<int>()).second);
  }
  EXPECT_EQ(ids.size(), 2000u);
}

TEST_F(LogFile, FoldsEqualFaultsWithACount) {
  {
    auto log = open(settings(), counters);
    for (int i = 0; i < 100; ++i) log->write(LogLevel::warning, "fault", {{"kind", "dns_timeout"}});
    ASSERT_EQ(lines().size(), 1u);
    log->write(LogLevel::info, "transaction", {{"id", "1"}});
    log->write(LogLevel::warning, "fault", {{"kind", "dns_timeout"}});
    ASSERT_EQ(lines().size(), 2u);
    log->write(LogLevel::error, "fault", {{"kind", "spool"}});
    ASSERT_EQ(lines().size(), 4u);
    EXPECT_EQ(lines()[2].substr(24), " warning event=fault kind=dns_timeout repeated=100");
    EXPECT_EQ(lines()[3].substr(24), " error event=fault kind=spool");
    log->write(LogLevel::error, "fault", {{"kind", "spool"}});
  }
  ASSERT_EQ(lines().size(), 5u);
  EXPECT_EQ(lines()[4].substr(24), " error event=fault kind=spool repeated=1");
}

TEST_F(LogFile, NeverFoldsTransactionsOrConnections) {
  auto log = open(settings(), counters);
  for (int i = 0; i < 3; ++i) {
    log->write(LogLevel::info, "transaction", {{"id", "same"}});
    log->write(LogLevel::info, "connection", {{"ip", "192.0.2.1"}});
    log->write(LogLevel::info, "connection", {{"ip", "192.0.2.1"}});
  }
  EXPECT_EQ(lines().size(), 9u);
}

TEST(LogTarget, FullDiskLosesTheLineAndCounts) {
  Counters counters;
  auto log = open({LogFormat::text, "file:/dev/full", LogLevel::info}, counters);
  log->write(LogLevel::info, "transaction", {{"id", "1"}});
  log->write(LogLevel::info, "transaction", {{"id", "2"}});
  EXPECT_EQ(counters.get(Fault::log), 2u);
}

// A file that may not grow takes a line in part; what follows must not be glued to that part.
TEST_F(LogFile, AfterHalfALineANewOneBegins) {
  auto log = open(settings(), counters);
  log->write(LogLevel::info, "first", {});
  ::rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  ::rlimit small = before;
  small.rlim_cur = 60;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  log->write(LogLevel::info, "second", {{"value", std::string(100, 'v')}});
  log->write(LogLevel::info, "third", {});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, ignored);
  EXPECT_EQ(counters.get(Fault::log), 2u);
  log->write(LogLevel::info, "fourth", {});
  log->write(LogLevel::info, "fifth", {});
  ASSERT_EQ(lines().size(), 4u);
  EXPECT_EQ(lines()[0].substr(24), " info event=first");
  EXPECT_EQ(lines()[2].substr(24), " info event=fourth");
  EXPECT_EQ(lines()[3].substr(24), " info event=fifth");
}

TEST_F(LogFile, StderrAndJournal) {
  {
    CapturedStderr capture(path);
    open({LogFormat::text, "stderr", LogLevel::info}, counters)->write(LogLevel::info, "plain", {});
    auto journal = open({LogFormat::text, "journal", LogLevel::debug}, counters);
    journal->write(LogLevel::debug, "d", {});
    journal->write(LogLevel::info, "i", {});
    journal->write(LogLevel::warning, "w", {});
    journal->write(LogLevel::error, "e", {});
    open({LogFormat::json, "journal", LogLevel::info}, counters)->write(LogLevel::error, "j", {});
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
  EXPECT_EQ(unknown.error().message, "log target \"syslog\" is none of stderr, journal, file:/path");
  EXPECT_FALSE(open_log({LogFormat::text, "file:", LogLevel::info}, counters));
  auto missing = open_log({LogFormat::text, "file:/nowhere/at/all.log", LogLevel::info}, counters);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "cannot open the log /nowhere/at/all.log: No such file or directory");
}

}  // namespace
}  // namespace sallyport
