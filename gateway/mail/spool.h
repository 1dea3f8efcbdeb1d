// Spool: unnamed files for message content beyond the memory bound. The content never has a name on disk, so nothing is
// left behind when the process dies (threats.md R3, R10).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace sallyport::mail {

class SpoolFile {
 public:
  virtual ~SpoolFile() = default;
  virtual Result<Done> append(std::string_view octets) = 0;
  // Reads up to `most` octets at `offset` into `out`, replacing its content; empty at the end.
  virtual Result<Done> read(std::uint64_t offset, std::size_t most, std::string& out) const = 0;
};

class Spool {
 public:
  virtual ~Spool() = default;
  virtual Result<std::unique_ptr<SpoolFile>> open() = 0;
};

// A spool of unnamed files (O_TMPFILE) in `directory`. Writes go to the page cache and run on the calling thread, which
// is cheaper than a trip to the thread pool.
std::unique_ptr<Spool> make_file_spool(std::string directory);

}  // namespace sallyport::mail
