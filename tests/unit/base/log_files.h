// What the tests of the log share: a directory of their own, standard error in a file, and reading what was written.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"

namespace sallyport {

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

// The standard error stream is this descriptor while it lives; the descriptor stays the caller's.
class StderrInstead {
 public:
  explicit StderrInstead(int fd) : kept_(::dup(STDERR_FILENO)) { ::dup2(fd, STDERR_FILENO); }
  StderrInstead(const StderrInstead&) = delete;
  StderrInstead& operator=(const StderrInstead&) = delete;
  ~StderrInstead() {
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }

 private:
  int kept_;
};

inline std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Until `test` holds; the log is written by a thread of its own. False after a time that no machine needs.
template <class Test>
bool eventually(Test test) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!test()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// A machine that is busy with other tests must not cost lines at a log's end.
inline constexpr LogBounds patient{.patience = std::chrono::seconds(60)};

inline std::unique_ptr<Log> open_checked(const LogSettings& settings, Counters& counters,
                                         const LogBounds& bounds = patient) {
  auto log = open_log(settings, counters, bounds);
  if (log) return *std::move(log);
  ADD_FAILURE() << log.error().message;
  return nullptr;
}

struct LogFile : testing::Test {
  LogSettings settings(LogFormat format = LogFormat::text, LogLevel level = LogLevel::info) const {
    return {format, "file:" + path, level};
  }
  std::vector<std::string> lines() const { return lines_of(path); }
  // The lines once there are so many.
  std::vector<std::string> lines(std::size_t count) const {
    EXPECT_TRUE(eventually([&] { return lines().size() >= count; })) << count << " lines";
    return lines();
  }

  TemporaryDirectory directory;
  std::string path = directory.file("log");
  Counters counters;
};

}  // namespace sallyport
