// The supervising process, as processes: it is a fork of the test, and what it starts is this program, too, which then
// only notes what it is told.
#include "gateway/supervise/supervising.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "gateway/supervise/children.h"
#include "gateway/supervise/commands.h"
#include "gateway/supervise/inheritance.h"
#include "gateway/supervise/link.h"

namespace {

volatile std::sig_atomic_t is_without_memory = 0;

}  // namespace

void* operator new(std::size_t octets) {
  void* const place = is_without_memory != 0 ? nullptr : std::malloc(octets != 0 ? octets : 1);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }

namespace sallyport::supervise {
namespace {

// Where the processes note things, and files stand that say how a serving process behaves: "late" (it is not ready as
// long as that is there), "late-successor", "late-place" (a successor that has been given the place is not in it yet),
// "stays" (it does not end when it is asked to), "silent" (it closes its end of the link and lives on), "lies" (it has
// a socket held whose address looks like more facts), "figures" (it wants the process for these).
constexpr const char* folder_variable = "SUPERVISED_FOLDER";
// To the supervising process: from now on it has no memory, or has it again.
const int memory_signal = SIGUSR2;
// To a serving process: ask for an upgrade.
const int upgrade_signal = SIGUSR1;

std::string in_folder(const char* name) { return std::string(std::getenv(folder_variable)) + "/" + name; }

void note(const std::string& what) {
  const std::string line = std::to_string(::getpid()) + " " + what + "\n";
  const Descriptor file(::open(in_folder("notes").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  static_cast<void>(!::write(file.get(), line.data(), line.size()));
}

void wait_while_there(const std::string& path) {
  while (::access(path.c_str(), F_OK) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

[[noreturn]] void be_supervising() {
  std::signal(memory_signal, [](int) { is_without_memory = is_without_memory == 0 ? 1 : 0; });
  const Orders orders{{}, {"figures"}, [] { return Result<Done>(Done{}); }};
  ::_exit(supervise(orders));
}

[[noreturn]] void be_serving(Inheritance inheritance) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t watched;
  ::sigemptyset(&watched);
  for (const int number : {upgrade_signal, end_command(), reload_command(), hand_over_command()})
    ::sigaddset(&watched, number);
  std::signal(upgrade_signal, [](int) {});  // else it stays ignored
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  std::optional<Link> link(std::move(inheritance.link));
  note(inheritance.is_successor ? "succeeds" : "starts");
  wait_while_there(in_folder(inheritance.is_successor ? "late-successor" : "late"));
  if (::access(in_folder("lies").c_str(), F_OK) == 0) {
    const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    link->hold("127.0.0.1:25\ndraining " + std::to_string(::getpid() + 1'000'000) + " 1000000", socket.get());
  }
  if (::access(in_folder("figures").c_str(), F_OK) == 0) link->want_figures("127.0.0.1:8080");
  link->tell_ready();
  if (inheritance.is_successor) {
    if (!link->wait_for_place()) ::_exit(75);
    wait_while_there(in_folder("late-place"));
    link->tell_placed();
  }
  if (::access(in_folder("silent").c_str(), F_OK) == 0) link.reset();
  note("serves");
  while (true) {
    int number = 0;
    ::sigwait(&watched, &number);
    if (number == upgrade_signal && link) link->ask_for_upgrade();
    if (number == reload_command()) note("reload");
    if (number == hand_over_command()) note("hands over");
    if (number != end_command()) continue;
    note("end");
    if (::access(in_folder("stays").c_str(), F_OK) != 0) ::_exit(0);
  }
}

// Before main(), which has the tests.
[[gnu::constructor]] void be_what_was_started(int count, char** arguments) {
  if (std::getenv(folder_variable) == nullptr) return;
  if (is_resumed()) be_supervising();
  if (auto inheritance = take_inheritance()) be_serving(std::move(*inheritance));
  if (count == 2 && std::string_view(arguments[1]) == "figures") {
    note("figures");
    while (true) ::pause();
  }
  ::_exit(1);  // its supervisor is gone
}

class SupervisingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "supervised-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    ::setenv(folder_variable, folder.c_str(), 1);
  }
  void TearDown() override {
    if (supervisor_ > 0) {
      ::kill(supervisor_, SIGKILL);
      ::waitpid(supervisor_, nullptr, 0);
    }
    ::unsetenv(folder_variable);
    std::filesystem::remove_all(folder_);
  }

  void start() {
    supervisor_ = ::fork();
    if (supervisor_ == 0) be_supervising();
    ASSERT_GT(supervisor_, 0);
  }
  void say_that(const char* behaviour, bool is_so) {
    if (is_so) {
      std::ofstream(folder_ / behaviour);
    } else {
      std::filesystem::remove(folder_ / behaviour);
    }
  }
  // The processes that have noted this, in order.
  std::vector<pid_t> who(const std::string& what) const {
    std::vector<pid_t> all;
    std::ifstream notes(folder_ / "notes");
    std::string line;
    while (std::getline(notes, line)) {
      const std::size_t space = line.find(' ');
      if (line.substr(space + 1) == what) all.push_back(std::stoi(line.substr(0, space)));
    }
    return all;
  }
  static bool comes(const std::function<bool()>& what) {
    for (int i = 0; i < 2000; ++i) {
      if (what()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  bool have_noted(const std::string& what, std::size_t count) const {
    return comes([&] { return who(what).size() >= count; });
  }
  static bool is_gone(pid_t process) {
    return comes([=] { return ::kill(process, 0) != 0; });
  }
  // Asks what serves now for an upgrade, until `is_done`: asked for too early, as long as the one before is not over,
  // it is refused.
  bool upgrade_until(const std::function<bool()>& is_done) const {
    const pid_t serving = who("serves").back();
    return comes([&] {
      ::kill(serving, upgrade_signal);
      return is_done();
    });
  }
  // So many times, one after the other.
  bool upgrade(std::size_t times) const {
    for (std::size_t i = 0; i < times; ++i) {
      const std::size_t before = who("serves").size();
      if (!upgrade_until([&] { return who("serves").size() > before; })) return false;
    }
    return true;
  }
  // Its exit status; nothing if it does not end.
  std::optional<int> end() {
    ::kill(supervisor_, SIGTERM);
    int status = 0;
    if (!comes([&] { return ::waitpid(supervisor_, &status, WNOHANG) == supervisor_; })) return std::nullopt;
    supervisor_ = 0;
    return status;
  }

  std::filesystem::path folder_;
  pid_t supervisor_ = 0;
};

TEST_F(SupervisingTest, TellsOneThatIsNotReadyYetToReloadWhenItIs) {
  say_that("late", true);
  start();
  ASSERT_TRUE(have_noted("starts", 1));
  ::kill(supervisor_, SIGHUP);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(who("reload").empty());
  say_that("late", false);
  EXPECT_TRUE(have_noted("reload", 1));
  EXPECT_EQ(end(), 0);
}

TEST_F(SupervisingTest, EndsAllOfTheOldestWhereMoreThanFourSeeTheirLastSessionsOff) {
  say_that("stays", true);
  start();
  ASSERT_TRUE(have_noted("serves", 1));
  ASSERT_TRUE(upgrade(7));
  EXPECT_TRUE(have_noted("end", 3));
  const std::vector<pid_t> serving = who("serves");
  EXPECT_THAT(who("end"), testing::UnorderedElementsAre(serving[0], serving[1], serving[2]));
}

TEST_F(SupervisingTest, KeepsTheProcessForFiguresThroughDeathsAndUpgrades) {
  say_that("figures", true);
  start();
  ASSERT_TRUE(have_noted("figures", 1));
  ::kill(who("serves").back(), SIGKILL);
  ASSERT_TRUE(have_noted("serves", 2));
  ASSERT_TRUE(upgrade(3));
  EXPECT_EQ(who("figures").size(), 1U);  // the same program
  ::kill(who("figures").back(), SIGKILL);
  ASSERT_TRUE(have_noted("figures", 2));
  say_that("figures", false);
  ASSERT_TRUE(upgrade(1));
  EXPECT_TRUE(is_gone(who("figures").back()));
  say_that("figures", true);
  ASSERT_TRUE(upgrade(1));
  ASSERT_TRUE(have_noted("figures", 3));
  EXPECT_EQ(end(), 0);
  EXPECT_TRUE(is_gone(who("figures").back()));
}

TEST_F(SupervisingTest, ReplacesTheProcessForFiguresWhenThereIsMemoryAgain) {
  say_that("figures", true);
  start();
  ASSERT_TRUE(have_noted("figures", 1));
  ::kill(supervisor_, memory_signal);
  ::kill(who("figures").back(), SIGKILL);
  ASSERT_TRUE(is_gone(who("figures").back()));
  ::kill(supervisor_, memory_signal);
  EXPECT_TRUE(have_noted("figures", 2));
  EXPECT_EQ(end(), 0);
}

// Such as processes to be ended, by one that may be root, or never to be waited for.
TEST_F(SupervisingTest, TakesNoFactsFromWhatServesButItsOwn) {
  say_that("lies", true);
  start();
  ASSERT_TRUE(have_noted("serves", 1));
  ASSERT_TRUE(upgrade(2));
  EXPECT_EQ(end(), 0);
}

// The supervising process has become another program meanwhile, and there are fewer of them.
TEST_F(SupervisingTest, AsksTheOldestToEndOnceOnly) {
  say_that("stays", true);
  start();
  ASSERT_TRUE(have_noted("serves", 1));
  ASSERT_TRUE(upgrade(5));
  ASSERT_TRUE(have_noted("end", 1));
  say_that("late-place", true);
  ASSERT_TRUE(upgrade_until([&] { return who("end").size() == 2; }));
  const std::vector<pid_t> serving = who("serves");
  for (const std::size_t newer : {3U, 4U}) {
    ::kill(serving[newer], SIGKILL);
    ASSERT_TRUE(is_gone(serving[newer]));
  }
  say_that("late-place", false);
  ASSERT_TRUE(have_noted("serves", 7));
  ASSERT_TRUE(upgrade(2));
  EXPECT_THAT(who("end"), testing::UnorderedElementsAre(serving[0], serving[1]));
}

TEST_F(SupervisingTest, ForgetsASuccessorThatHasDiedWhileThereWasNoMemory) {
  start();
  ASSERT_TRUE(have_noted("serves", 1));
  say_that("late-successor", true);
  ::kill(who("serves").front(), upgrade_signal);
  ASSERT_TRUE(have_noted("succeeds", 1));
  const pid_t successor = who("succeeds").front();
  ::kill(supervisor_, memory_signal);
  ::kill(successor, SIGKILL);
  EXPECT_TRUE(is_gone(successor));
  ::kill(supervisor_, memory_signal);
  EXPECT_EQ(end(), 0);
}

TEST_F(SupervisingTest, SeesEachOfTwoDeathsThoughThereIsNoMemoryForOne) {
  start();
  ASSERT_TRUE(have_noted("serves", 1));
  say_that("late-successor", true);
  const pid_t serving = who("serves").front();
  ::kill(serving, upgrade_signal);
  ASSERT_TRUE(have_noted("succeeds", 1));
  const pid_t successor = who("succeeds").front();
  ::kill(supervisor_, SIGSTOP);
  ::kill(serving, SIGKILL);
  ::kill(successor, SIGKILL);
  ::kill(supervisor_, memory_signal);
  ::kill(supervisor_, SIGCONT);
  EXPECT_TRUE(is_gone(serving));
  EXPECT_TRUE(is_gone(successor));
  ::kill(supervisor_, memory_signal);
  EXPECT_TRUE(have_noted("serves", 2));
  EXPECT_EQ(end(), 0);
}

// As of a process whose death only who traces it has heard of.
TEST_F(SupervisingTest, SleepsBesideOneWhoseEndOfTheLinkIsClosed) {
  say_that("silent", true);
  start();
  ASSERT_TRUE(have_noted("serves", 1));
  const auto is_asleep = [this] {
    std::ifstream file("/proc/" + std::to_string(supervisor_) + "/stat");
    std::string stat;
    std::getline(file, stat);
    return stat.find(") S ") != std::string::npos;
  };
  EXPECT_TRUE(comes([&] {
    for (int i = 0; i < 20; ++i) {
      if (!is_asleep()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }));
  ::kill(who("serves").front(), SIGKILL);
  EXPECT_TRUE(have_noted("serves", 2));
  EXPECT_EQ(end(), 0);
}

// Else the exception would go up in the fork, and make it a second supervisor with all sockets.
TEST_F(SupervisingTest, AProgramThatCannotBeExecutedIsToldWithoutMemory) {
  ::pthread_atfork(nullptr, nullptr, [] { is_without_memory = 1; });
  const pid_t test = ::getpid();
  const Descriptor no_program(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::optional<Child> child;
  try {
    auto started = start_child({{}, {}, {}, no_program, {}});
    if (::getpid() == test && started) child.emplace(std::move(*started));
  } catch (const std::bad_alloc&) {
  }
  if (::getpid() != test) ::_exit(99);
  ASSERT_TRUE(child);
  int status = 0;
  ASSERT_EQ(::waitpid(child->pid, &status, 0), child->pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 75) << describe_end(status);
  std::string why;
  while (const auto message = receive_message(child->link.get())) why += message->text();
  EXPECT_EQ(why, "the program cannot be executed: Permission denied");
}

}  // namespace
}  // namespace sallyport::supervise
