// Opens files without a name: their content is gone when the last descriptor is closed, however the process ends.
#pragma once

#include <string>

#include "gateway/base/result.h"

namespace sallyport::mail {

// Owns an open descriptor and closes it.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }

 private:
  int fd_;
};

// Opens an unnamed file in `directory` for reading and writing (O_TMPFILE). If the file system does not support that,
// uses open_unlinked_file().
Result<Descriptor> open_unnamed_file(const std::string& directory);
// Creates a named file and removes its name at once. A process killed in between leaves an empty file behind, never
// content.
Result<Descriptor> open_unlinked_file(const std::string& directory);

}  // namespace sallyport::mail
