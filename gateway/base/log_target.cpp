#include "gateway/base/log_target.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "gateway/base/trusted_place.h"

namespace sallyport {

namespace {

constexpr int give_up_looked_at_ms = 50;
constexpr int pause_of_a_full_target_ms = 10;

std::string why_not(int error, int directory) {
  if (error == ELOOP) return "it is a symbolic link";
  std::string why = std::generic_category().message(error);
  // Landlock knows the folder of the start alone, and access(2) knows nothing of Landlock.
  if (error == EACCES && ::faccessat(directory, ".", W_OK | X_OK, AT_EACCESS) == 0)
    why += " (if its folder was made anew since the start, `sallyport upgrade` takes that)";
  return why;
}

Result<int> open_file(const std::string& path) {
  const auto failed = [&path](const std::string& why) { return Failure{"cannot open the log " + path + ": " + why}; };
  const auto place = find_trusted_place(path, LastLink::keep);
  if (!place) return failed(place.error().message);
  // O_NONBLOCK: a FIFO without a reader is an error, not a wait.
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
  Descriptor file(::openat(place->directory.get(), place->name.c_str(), flags, 0640));
  if (!file) return failed(why_not(errno, place->directory.get()));
  struct ::stat status {};
  const bool is_known = ::fstat(file.get(), &status) == 0;
  // The other name may be that of any file of this file system.
  if (is_known && ::geteuid() == 0 && S_ISREG(status.st_mode) && status.st_nlink > 1) {
    return failed("the file has a second name (a hard link), and may be another one than it seems");
  }
  return file.release();
}

bool is_regular(int fd) {
  struct ::stat status;
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

bool is_same_file(int fd, const std::string& path) {
  struct ::stat ours, there;
  return ::fstat(fd, &ours) == 0 && ::lstat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

}  // namespace

Result<LogTarget> LogTarget::open(const std::string& target) {
  constexpr std::string_view file_prefix = "file:";
  if (target.starts_with(file_prefix) && target.size() > file_prefix.size()) {
    std::string path = target.substr(file_prefix.size());
    auto fd = open_file(path);
    if (!fd) return std::move(fd).error();
    return LogTarget(*fd, std::move(path));
  }
  constexpr std::string_view journal_prefix = "journal:";
  if (target.starts_with(journal_prefix) && target.size() > journal_prefix.size()) {
    auto journal = JournalSocket::open(target.substr(journal_prefix.size()));
    if (!journal) return Failure{"cannot open the log: " + journal.error().message};
    return LogTarget(std::move(*journal));
  }
  if (target != "stderr" && target != "journal") {
    return Failure{"log target \"" + target + "\" is none of stderr, journal, journal:/path, file:/path"};
  }
  if (target == "journal" || is_journal_stream(std::getenv("JOURNAL_STREAM"), STDERR_FILENO)) {
    auto journal = JournalSocket::open(JournalSocket::usual_path);
    if (journal) return LogTarget(std::move(*journal));
  }
  // A descriptor of our own: a thread that outlives the log (see LogWriter) can then not write to a file that was given
  // the number of a closed one.
  return LogTarget(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), {});
}

LogTarget::LogTarget(int fd, std::string path) : fd_(fd), path_(std::move(path)), is_file_(is_regular(fd)) {}

LogTarget::LogTarget(LogTarget&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      is_file_(other.is_file_),
      is_half_written_(other.is_half_written_),
      journal_(std::move(other.journal_)) {}

LogTarget& LogTarget::operator=(LogTarget&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(is_file_, other.is_file_);
  std::swap(is_half_written_, other.is_half_written_);
  std::swap(journal_, other.journal_);
  return *this;
}

LogTarget::~LogTarget() {
  if (fd_ >= 0) ::close(fd_);
}

std::size_t LogTarget::write(std::string_view octets, const std::atomic<bool>& give_up) {
  if (journal_) return journal_->send(octets, give_up) ? octets.size() : 0;
  if (fd_ < 0) return 0;
  // A pipe that poll(2) calls writable has room for PIPE_BUF octets at least; more could block.
  const std::size_t most = is_file_ ? octets.size() : std::size_t{PIPE_BUF};
  std::size_t taken = 0;
  while (taken < octets.size()) {
    if (!is_file_ && !wait_for_room(give_up)) break;
    const ssize_t n = ::write(fd_, octets.data() + taken, std::min(most, octets.size() - taken));
    if (n > 0) {
      taken += static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      if (give_up.load(std::memory_order_relaxed)) break;
      ::poll(nullptr, 0, pause_of_a_full_target_ms);
    } else if (n == 0 || errno != EINTR) {
      break;
    }
  }
  // If nothing was written, a line that was half written before is still the last.
  if (taken > 0) is_half_written_ = taken < octets.size();
  return taken;
}

// Returns false if `give_up` became true. An error of the target counts as room: write(2) then returns it.
bool LogTarget::wait_for_room(const std::atomic<bool>& give_up) const {
  while (!give_up.load(std::memory_order_relaxed)) {
    pollfd entry{fd_, POLLOUT, 0};
    if (::poll(&entry, 1, give_up_looked_at_ms) > 0) return true;
  }
  return false;
}

Result<Done> LogTarget::reopen() {
  if (path_.empty() || is_same_file(fd_, path_)) return Done{};
  auto fd = open_file(path_);
  if (!fd) return std::move(fd).error();
  *this = LogTarget(*fd, path_);
  return Done{};
}

}  // namespace sallyport
