#include "gateway/app/landlock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace sallyport::app {
namespace {

struct Folder {
  Folder() {
    std::string name = "/tmp/sallyport-landlock-XXXXXX";
    path = ::mkdtemp(name.data());
    std::filesystem::create_directories(path / "state/spool");
    std::filesystem::create_directories(path / "elsewhere");
    std::filesystem::create_directories(path / "sockets");
    std::ofstream(path / "sockets/old") << "text\n";
    std::ofstream(path / "elsewhere/file") << "text\n";
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

bool can_open(const std::filesystem::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
  return file >= 0;
}

// What a confined process may do; the number of the first line that is not as it should be.
int try_everything(const std::filesystem::path& folder) {
  const auto state = folder / "state";
  const auto elsewhere = folder / "elsewhere";
  if (!can_open(state / "new", O_WRONLY | O_CREAT)) return __LINE__;
  if (!can_open(state / "new", O_RDWR | O_TRUNC)) return __LINE__;
  if (!can_open(state / "spool", O_RDWR | O_TMPFILE)) return __LINE__;
  if (::mkdir((state / "lists").c_str(), 0700) != 0) return __LINE__;
  if (::rename((state / "new").c_str(), (state / "lists/old").c_str()) != 0) return __LINE__;
  if (::unlink((state / "lists/old").c_str()) != 0) return __LINE__;
  if (!can_open(elsewhere / "file", O_RDONLY)) return __LINE__;
  if (can_open(folder / "sockets/new", O_WRONLY | O_CREAT)) return __LINE__;
  if (::unlink((folder / "sockets/old").c_str()) != 0) return __LINE__;

  if (can_open(elsewhere / "file", O_WRONLY)) return __LINE__;
  if (can_open(elsewhere / "new", O_WRONLY | O_CREAT)) return __LINE__;
  if (::unlink((elsewhere / "file").c_str()) == 0) return __LINE__;
  if (::mkdir((elsewhere / "folder").c_str(), 0700) == 0) return __LINE__;
  if (::rename((elsewhere / "file").c_str(), (state / "file").c_str()) == 0) return __LINE__;
  if (::symlink("x", (state / "link").c_str()) == 0) return __LINE__;
  ::execl("/bin/true", "true", nullptr);
  if (errno != EACCES) return __LINE__;
  bool could_write = true;
  std::thread([&] { could_write = can_open(elsewhere / "new", O_WRONLY | O_CREAT); }).join();
  return could_write ? __LINE__ : 0;
}

// Exit statuses have eight bits: 255 stands for a kernel or a build without it, and lines are counted from here.
constexpr int first_line = 40;
constexpr int left_out = 255;

TEST(Landlock, LetsTheProcessWriteInItsDirectoriesAlone) {
  const Folder folder;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const auto confined = confine_writing({folder.path / "state"}, {folder.path / "sockets"});
    if (!confined) ::_exit(1);
    if (*confined != Confinement::done) ::_exit(left_out);
    const int line = try_everything(folder.path);
    ::_exit(line == 0 ? 0 : line - first_line + 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == left_out) GTEST_SKIP() << "this kernel, or this build, has no Landlock";
  EXPECT_EQ(WEXITSTATUS(status), 0) << "line " << WEXITSTATUS(status) + first_line - 2;
}

TEST(Landlock, LeavesOutADirectoryThatIsNotThere) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const auto confined = confine_writing({"/nowhere/at/all"}, {"/nowhere/else"});
    ::_exit(confined ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace sallyport::app
