#include "gateway/app/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

namespace sallyport::app {

namespace {

constexpr mode_t lock_mode = 0640;
constexpr Duration interval = std::chrono::milliseconds(20);

std::string path_in(const std::string& state) { return state + "/lock"; }

}  // namespace

// That it cannot be written (a full disk) is no obstacle.
void write_holder_of_state(const Descriptor& lock) {
  const std::string name = std::to_string(::getpid()) + "\n";
  // In this order there is a name at any moment.
  if (::pwrite(lock.get(), name.data(), name.size(), 0) < 0) return;
  static_cast<void>(!::ftruncate(lock.get(), static_cast<off_t>(name.size())));
}

Result<std::optional<Descriptor>> lock_state(const std::string& state, Duration patience) {
  const std::string path = path_in(state);
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, lock_mode));
  if (!file) return Failure{"cannot open " + path + ": " + std::strerror(errno)};
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) break;
    if (std::chrono::steady_clock::now() >= give_up) return std::optional<Descriptor>();
    std::this_thread::sleep_for(interval);
  }
  write_holder_of_state(file);
  return std::optional<Descriptor>(std::move(file));
}

bool is_lock_of(const Descriptor& lock, const std::string& state) {
  struct ::stat held {};
  struct ::stat there {};
  if (!lock || ::fstat(lock.get(), &held) != 0 || ::lstat(path_in(state).c_str(), &there) != 0) return false;
  if (held.st_dev != there.st_dev || held.st_ino != there.st_ino) return false;
  // It may have been unlocked for all: when the gateway was asked to end.
  return ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

void unlock_state(const Descriptor& lock) noexcept { ::flock(lock.get(), LOCK_UN); }

std::string holder_of_state(const std::string& state) {
  long process = 0;
  std::ifstream(path_in(state)) >> process;
  return process > 0 ? "process " + std::to_string(process) : "another process";
}

}  // namespace sallyport::app
