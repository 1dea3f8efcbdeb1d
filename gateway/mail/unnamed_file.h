// A file without a name: what is written to it is gone with its last descriptor, however the process ends.
#pragma once

#include <string>

#include "gateway/base/result.h"

namespace sallyport::mail {

// An open descriptor, closed with its owner.
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

// Opens an unnamed file in `directory` for reading and writing (O_TMPFILE), or, where the file system cannot do that,
// one that has a name for as long as it takes to remove it again.
Result<Descriptor> open_unnamed_file(const std::string& directory);
// The second way alone. A process killed in between leaves an empty file behind, never content.
Result<Descriptor> open_unlinked_file(const std::string& directory);

}  // namespace sallyport::mail
