#include "gateway/config/files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "gateway/config/document.h"

namespace sallyport::config {
namespace {

Failure failure_of(int error) { return Failure{std::generic_category().message(error)}; }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> Disk::read(const std::string& path) const {
  // O_NONBLOCK, so that opening a FIFO in an included directory does not block the start.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return failure_of(errno);
  struct ::stat status {};
  if (::fstat(file.get(), &status) != 0) return failure_of(errno);
  if (S_ISDIR(status.st_mode)) return Failure{"Is a directory"};
  std::string content;
  std::array<char, 16384> block;
  while (content.size() <= max_document_bytes) {
    const ::ssize_t n = ::read(file.get(), block.data(), block.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure_of(errno);
    if (n == 0) break;
    content.append(block.data(), static_cast<std::size_t>(n));
  }
  return content;
}

Result<std::vector<std::string>> Disk::matching(const std::string& pattern) const {
  std::vector<std::string> files;
  ::glob_t found{};
  const int outcome = ::glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
  const int reason = errno;
  if (outcome == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  // A directory that does not exist has no files.
  const bool unreadable = outcome == GLOB_ABORTED && reason != ENOENT && reason != ENOTDIR;
  if (unreadable) return failure_of(reason);
  if (outcome == GLOB_NOSPACE) return failure_of(ENOMEM);
  return files;
}

}  // namespace sallyport::config
