// ListFiles: lists in files that rules look things up in. A file is read once for all who use it, and again when it has
// changed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/entry_list.h"
#include "gateway/base/result.h"

namespace sallyport::io {

// One list, as it is now. Any thread.
class LiveList {
 public:
  virtual ~LiveList() = default;
  // Never null; whoever holds it may use it though the file has changed.
  virtual std::shared_ptr<const EntryList> now() const = 0;
};

class ListFiles {
 public:
  virtual ~ListFiles() = default;
  // Reads the file, unless somebody has it open as a list of this kind already. Not on a loop: it takes as long as the
  // disk does. The failure names the file, and the line where it is one.
  virtual Result<std::shared_ptr<const LiveList>> open(const std::string& path, EntryKind kind) = 0;
};

}  // namespace sallyport::io
