// The log's thread, its queue and its target: what a caller may rely on when the target takes nothing, and when the
// file is moved away.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/unit/base/log_files.h"

namespace sallyport {
namespace {

namespace fs = std::filesystem;

// A pipe in place of the standard error stream. It is as small as the system lets it be.
class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends;
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reading_ = ends[0];
    writing_ = ends[1];
    ::fcntl(writing_, F_SETPIPE_SZ, 4096);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_writing_end();
    close_reading_end();
  }
  int writing_end() const { return writing_; }
  void close_writing_end() { close_end(writing_); }
  void close_reading_end() { close_end(reading_); }
  // Everything, until nobody has the writing end any more.
  std::string read_to_the_end() {
    std::string all;
    std::array<char, 65536> piece;
    for (ssize_t n; (n = ::read(reading_, piece.data(), piece.size())) > 0;) {
      all.append(piece.data(), static_cast<std::size_t>(n));
    }
    return all;
  }

 private:
  static void close_end(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  int reading_ = -1;
  int writing_ = -1;
};

std::vector<nlohmann::json> parsed(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(nlohmann::json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                          text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false));
    EXPECT_FALSE(lines.back().is_discarded()) << text.substr(begin, end - begin);
  }
  EXPECT_EQ(begin, text.size()) << "the last line has its end";
  return lines;
}

constexpr LogSettings to_stderr_as_json() { return {LogFormat::json, "stderr", LogLevel::info}; }

std::unique_ptr<Log> log_into(const Pipe& pipe, Counters& counters, const LogBounds& bounds = patient) {
  const StderrInstead instead(pipe.writing_end());
  return open_checked(to_stderr_as_json(), counters, bounds);
}

// Writes numbered lines; gives how many of them the log did not take.
std::uint64_t write_numbers(Log& log, int from, int to, std::size_t padding = 200) {
  const std::string pad(padding, 'p');
  std::uint64_t refused = 0;
  for (int number = from; number < to; ++number) {
    if (!log.write(LogLevel::info, "transaction", {{"number", number}, {"pad", pad}})) ++refused;
  }
  return refused;
}

// What a reader makes of it: the numbers rise, each gap has a line before it that tells how many are missing.
void expect_gaps_told(const std::vector<nlohmann::json>& lines, int total, std::uint64_t lost) {
  int next = 0;
  std::uint64_t told = 0;
  for (const auto& line : lines) {
    if (line["event"] == "log_lost") {
      EXPECT_EQ(line["level"], "warning");
      told += line["lost"].get<std::uint64_t>();
      next += line["lost"].get<int>();
    } else {
      EXPECT_EQ(line["number"], next);
      ++next;
    }
  }
  EXPECT_EQ(next, total);
  EXPECT_EQ(told, lost);
}

TEST(LogThatNobodyReads, CostsLinesAndNobodyWaits) {
  Counters counters;
  Pipe pipe;
  auto log = log_into(pipe, counters);
  pipe.close_writing_end();
  constexpr int total = 20000;
  const std::uint64_t refused = write_numbers(*log, 0, total);
  // What the queue has room for, and the pipe, is taken; the rest is not.
  EXPECT_GT(refused, 5000u);
  EXPECT_LT(refused, 15000u);
  EXPECT_EQ(counters.get(Fault::log), refused);

  // The reader comes back: what was queued flows, and the end tells what is missing, without a further line.
  std::string text;
  std::thread reader([&] { text = pipe.read_to_the_end(); });
  log.reset();
  reader.join();
  expect_gaps_told(parsed(text), total, refused);
  EXPECT_EQ(counters.get(Fault::log), refused);
}

TEST(LogThatNobodyReads, SaysHowManyAreLostBeforeTheNextLine) {
  Counters counters;
  Pipe pipe;
  auto log = log_into(pipe, counters, {.octets = 100'000, .lines = 64, .patience = std::chrono::seconds(60)});
  pipe.close_writing_end();
  std::uint64_t refused = write_numbers(*log, 0, 1000);
  EXPECT_GT(refused, 900u - 20u);
  std::string text;
  std::thread reader([&] { text = pipe.read_to_the_end(); });
  // One after the other until the log takes one: that one has room as the reader goes on.
  int number = 1000;
  while (write_numbers(*log, number, number + 1) > 0) {
    ++refused;
    ++number;
  }
  log.reset();
  reader.join();
  const auto lines = parsed(text);
  expect_gaps_told(lines, number + 1, refused);
  EXPECT_EQ(lines.back()["number"], number);
}

// A caller that needs a record must not rely on a log that hangs.
TEST(LogThatNobodyReads, SaysSoBeforeItsQueueIsFull) {
  Counters counters;
  Pipe pipe;
  auto log = log_into(pipe, counters, {.patience = std::chrono::milliseconds(100)});
  write_numbers(*log, 0, 100);
  EXPECT_TRUE(eventually([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return !log->write(LogLevel::info, "transaction", {});
  }));
  EXPECT_EQ(counters.get(Fault::log), 0u);  // it was queued all the same
}

TEST(LogThatNobodyReads, IsBoundedByOctetsToo) {
  Counters counters;
  Pipe pipe;
  auto log = log_into(pipe, counters, {.octets = 50'000, .lines = 1'000'000, .patience = std::chrono::milliseconds(1)});
  write_numbers(*log, 0, 200, 900);
  // Not what write() says: on a machine that stands still for a second it says no to lines that are queued all the same.
  const std::uint64_t lost = counters.get(Fault::log);
  EXPECT_GE(lost, 200u - (50'000u + 2 * 4096u) / 900u);
  EXPECT_LE(lost, 200u - 40'000u / 1000u);
}

TEST(LogThatNobodyReads, DoesNotHoldTheEndUp) {
  Counters counters;
  Pipe pipe;
  auto log = log_into(pipe, counters, {});
  write_numbers(*log, 0, 1000);
  const auto begin = std::chrono::steady_clock::now();
  log.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  // All that the pipe has not taken is counted.
  EXPECT_GT(counters.get(Fault::log), 900u);
  EXPECT_LE(counters.get(Fault::log), 1000u);
}

// Another process that shares the pipe may have set O_NONBLOCK: write(2) then fails with EAGAIN.
TEST(LogThatNobodyReads, MayHaveADescriptorThatDoesNotBlock) {
  Counters counters;
  Pipe pipe;
  ::fcntl(pipe.writing_end(), F_SETFL, O_NONBLOCK);
  auto log = log_into(pipe, counters);
  pipe.close_writing_end();
  EXPECT_EQ(write_numbers(*log, 0, 500), 0u);
  std::string text;
  std::thread reader([&] { text = pipe.read_to_the_end(); });
  log.reset();
  reader.join();
  expect_gaps_told(parsed(text), 500, 0);
}

// The flags of an open file description hold for all who share it.
TEST(LogThatNobodyReads, LeavesSharedDescriptorsAsTheyAre) {
  Counters counters;
  Pipe pipe;
  const int before = ::fcntl(pipe.writing_end(), F_GETFL);
  auto log = log_into(pipe, counters, {.octets = 10'000, .lines = 10, .patience = std::chrono::milliseconds(1)});
  write_numbers(*log, 0, 100);
  EXPECT_EQ(::fcntl(pipe.writing_end(), F_GETFL), before);
}

TEST(LogThatNobodyReads, LosesLinesWhenItsReaderIsGone) {
  Counters counters;
  Pipe pipe;
  auto log = log_into(pipe, counters);
  pipe.close_reading_end();  // from now on EPIPE, and SIGPIPE for whom it is not blocked
  write_numbers(*log, 0, 10);
  log.reset();
  EXPECT_EQ(counters.get(Fault::log), 10u);
}

TEST(LogThatNobodyReads, HasLongLinesInOnePieceInTheEnd) {
  Counters counters;
  Pipe pipe;
  auto log = log_into(pipe, counters);
  pipe.close_writing_end();
  const std::string big(1000, 'x');
  for (int i = 0; i < 20; ++i) {
    log->write(LogLevel::info, "transaction", {{"a", big}, {"b", big}, {"c", big}, {"d", big}, {"e", big}, {"f", big}});
  }
  std::string text;
  std::thread reader([&] { text = pipe.read_to_the_end(); });
  log.reset();
  reader.join();
  const auto lines = parsed(text);
  ASSERT_EQ(lines.size(), 20u);
  for (const auto& line : lines) EXPECT_EQ(line["f"], big);
}

TEST(LogWithoutStderr, LosesItsLines) {
  Counters counters;
  std::unique_ptr<Log> log;
  {
    const StderrInstead instead(STDERR_FILENO);  // puts back what is closed here
    ::close(STDERR_FILENO);
    log = open_checked(to_stderr_as_json(), counters);
  }
  ASSERT_TRUE(log);
  write_numbers(*log, 0, 3);
  log.reset();
  EXPECT_EQ(counters.get(Fault::log), 3u);
}

TEST_F(LogFile, KeepsTheOrderOfEachThread) {
  constexpr int workers = 8, each = 3000;
  auto log = open_checked(settings(LogFormat::json), counters);
  std::vector<std::thread> threads;
  for (int worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&log, worker] {
      for (int number = 0; number < each; ++number) {
        // A queue that is full for a moment: the caller of this test has time.
        while (!log->write(LogLevel::info, "transaction", {{"worker", worker}, {"number", number}})) {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  log.reset();
  std::map<int, int> next;
  for (const std::string& line : lines()) {
    const auto json = nlohmann::json::parse(line);
    if (json["event"] == "log_lost") continue;
    EXPECT_EQ(json["number"], next[json["worker"].get<int>()]++);
  }
  for (int worker = 0; worker < workers; ++worker) EXPECT_EQ(next[worker], each);
}

TEST_F(LogFile, GoesOnInANewFileAfterItWasMovedAway) {
  auto log = open_checked(settings(LogFormat::json), counters);
  const std::string old = directory.file("log.1");
  constexpr int each = 500, times = 20;
  std::vector<std::string> all;
  for (int i = 0; i < times; ++i) {
    write_numbers(*log, i * each, (i + 1) * each);
    fs::rename(path, old);
    log->reopen();
    // What is written after reopen() comes into the new file.
    ASSERT_TRUE(eventually([&] { return fs::exists(path); }));
    for (const std::string& line : lines_of(old)) all.push_back(line);
  }
  log.reset();
  for (const std::string& line : lines()) all.push_back(line);
  ASSERT_EQ(all.size(), std::size_t{each * times});
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(nlohmann::json::parse(all[i])["number"], i);
  EXPECT_EQ(counters.get(Fault::log), 0u);
  struct ::stat status;
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07737, 0600u);  // 0640 less what the umask takes
}

TEST_F(LogFile, CanBeReopenedBeforeItsFirstLine) {
  auto log = open_checked(settings(), counters);
  fs::rename(path, directory.file("log.1"));
  log->reopen();
  EXPECT_TRUE(eventually([&] { return fs::exists(path); }));
  log->write(LogLevel::info, "ready", {});
  EXPECT_EQ(lines(1).size(), 1u);
  EXPECT_TRUE(lines_of(directory.file("log.1")).empty());
}

TEST_F(LogFile, StaysOpenWhenItCannotBeReopened) {
  auto log = open_checked(settings(), counters);
  const std::string old = directory.file("log.1");
  fs::rename(path, old);
  fs::create_directory(path);  // no file can be opened here
  log->write(LogLevel::info, "before", {});
  ASSERT_TRUE(eventually([&] { return lines_of(old).size() == 1; }));
  log->reopen();
  ASSERT_TRUE(eventually([&] { return lines_of(old).size() == 2; }));
  log->write(LogLevel::info, "after", {});
  log.reset();
  const auto lines = lines_of(old);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1].substr(24),
            " error event=fault kind=log detail=\"cannot open the log " + path + ": Is a directory\"");
  EXPECT_EQ(lines[2].substr(24), " info event=after");
  EXPECT_EQ(counters.get(Fault::log), 1u);
}

// A reload without a rotation must not need leave to open the file that root has made.
TEST_F(LogFile, IsLeftAloneWhileItIsInItsPlace) {
  auto log = open_checked(settings(), counters);
  log->write(LogLevel::info, "before", {});
  lines(1);
  fs::permissions(path, fs::perms::none);
  fs::permissions(fs::path(path).parent_path(), fs::perms::owner_exec);
  log->reopen();
  log->write(LogLevel::info, "after", {});
  log.reset();
  fs::permissions(fs::path(path).parent_path(), fs::perms::owner_all);
  fs::permissions(path, fs::perms::owner_all);
  EXPECT_EQ(lines().size(), 2u);
  EXPECT_EQ(counters.get(Fault::log), 0u);
}

TEST(LogToStderr, IsLeftAloneByReopen) {
  Counters counters;
  Pipe pipe;
  auto log = log_into(pipe, counters);
  pipe.close_writing_end();
  log->reopen();
  write_numbers(*log, 0, 2);
  std::string text;
  std::thread reader([&] { text = pipe.read_to_the_end(); });
  log.reset();
  reader.join();
  expect_gaps_told(parsed(text), 2, 0);
}

TEST_F(LogFile, IsNotLookedForBehindALink) {
  const std::string victim = directory.file("victim");
  fs::create_symlink(victim, path);
  auto refused = open_log(settings(), counters);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cannot open the log " + path + ": it is a symbolic link");
  EXPECT_FALSE(fs::exists(victim));

  fs::remove(path);
  auto log = open_checked(settings(), counters);
  fs::rename(path, directory.file("log.1"));
  fs::create_symlink(victim, path);
  log->reopen();
  log->write(LogLevel::info, "after", {});
  log.reset();
  EXPECT_FALSE(fs::exists(victim));
  EXPECT_EQ(lines_of(directory.file("log.1")).size(), 2u);
}

TEST_F(LogFile, IsNoFifoThatWaitsForItsReader) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(open_log(settings(), counters));
}

}  // namespace
}  // namespace sallyport
