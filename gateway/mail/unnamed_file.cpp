#include "gateway/mail/unnamed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace sallyport::mail {

namespace {

Failure cannot_open(const std::string& directory, int error) {
  return Failure{"cannot open a spool file in " + directory + ": " + std::generic_category().message(error)};
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Descriptor> open_unnamed_file(const std::string& directory) {
  int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return Descriptor(fd);
  // File systems without O_TMPFILE give EOPNOTSUPP; kernels older than O_TMPFILE give EISDIR (open(2)).
  if (errno == EOPNOTSUPP || errno == EISDIR) return open_unlinked_file(directory);
  return cannot_open(directory, errno);
}

Result<Descriptor> open_unlinked_file(const std::string& directory) {
  std::string path = directory + "/spool-XXXXXX";
  int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return cannot_open(directory, errno);
  Descriptor file(fd);
  if (::unlink(path.c_str()) != 0) return cannot_open(directory, errno);
  return file;
}

}  // namespace sallyport::mail
