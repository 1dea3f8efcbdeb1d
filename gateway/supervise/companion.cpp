#include "gateway/supervise/companion.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "gateway/supervise/children.h"
#include "gateway/supervise/supervising_loop.h"

namespace sallyport::supervise {

namespace {

// One that has lived for so long has found its address free.
constexpr Duration long_enough = std::chrono::seconds(2);
constexpr Duration try_again = std::chrono::seconds(1);

}  // namespace

Companion::FileId Companion::id_of(const Descriptor& program) noexcept {
  struct ::stat status {};
  const int failed = program ? ::fstat(program.get(), &status) : ::stat("/proc/self/exe", &status);
  return failed == 0 ? FileId{status.st_dev, status.st_ino} : FileId{};
}

void Companion::settle(std::string_view wanted, const Descriptor& program) {
  if (arguments_.empty() || is_over_) return;
  const bool is_same = wanted == wanted_ && (pid_ == 0 || id_of(program) == file_);
  wanted_ = wanted;
  if (pid_ == 0) {
    if (wanted_.empty()) {
      due_.reset();
    } else if (!due_ || !is_same) {
      due_ = now();
    }
  } else if (!is_same && !is_told_to_end_) {
    is_told_to_end_ = true;
    ::kill(pid_, SIGTERM);
  }
}

void Companion::start_if_due(Time time, const Descriptor& program) {
  if (!due_ || time < *due_) return;
  due_ = time + try_again;  // where memory runs out in between
  start(time, program);
}

void Companion::start(Time time, const Descriptor& program) {
  const pid_t started = start_companion(arguments_, program);
  if (started < 0) {
    say(std::string("the process for figures and health cannot be started: ") + std::strerror(errno));
    due_ = time + restarts_.delay_after(std::nullopt);
    return;
  }
  pid_ = started;
  file_ = id_of(program);
  started_ = time;
  is_told_to_end_ = false;
  due_.reset();
}

bool Companion::is_ended(pid_t pid, int status, Time time) {
  if (pid_ == 0 || pid != pid_) return false;
  pid_ = 0;
  if (wanted_.empty() || is_over_) return true;
  due_ = time;
  if (is_told_to_end_) return true;
  const Duration lived = time - started_;
  const Duration delay = restarts_.delay_after(lived >= long_enough ? std::optional(lived) : std::nullopt);
  due_ = time + delay;
  say("the process for figures and health has ended: " + describe_end(status) +
      "; mail goes on, and another one is started " +
      (delay == Duration::zero() ? std::string("at once") : "in " + sallyport::to_text(delay)));
  return true;
}

void Companion::start_no_more() noexcept {
  is_over_ = true;
  due_.reset();
}

void Companion::end() noexcept {
  start_no_more();
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

void Companion::resume(pid_t pid, std::string wanted, bool is_told_to_end) {
  pid_ = pid;
  is_told_to_end_ = is_told_to_end;
  wanted_ = std::move(wanted);
  file_ = id_of(Descriptor());
  started_ = now();
  if (pid_ == 0 && !wanted_.empty()) due_ = now();
}

}  // namespace sallyport::supervise
