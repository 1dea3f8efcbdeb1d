#include "gateway/app/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
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

// For people: who looks for the holder finds it here. That it cannot be written (a full disk) is no obstacle.
void write_own_name(const Descriptor& file) {
  const std::string name = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0) return;
  static_cast<void>(::pwrite(file.get(), name.data(), name.size(), 0));
}

}  // namespace

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
  write_own_name(file);
  return std::optional<Descriptor>(std::move(file));
}

std::string holder_of_state(const std::string& state) {
  long process = 0;
  std::ifstream(path_in(state)) >> process;
  return process > 0 ? "process " + std::to_string(process) : "another process";
}

}  // namespace sallyport::app
