// ListFiles: lists that rules look things up in, in files and on web servers. Each is read once for all who use it, and
// again when it has changed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/entry_list.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"

namespace sallyport::io {

// One list, as it is now. Any thread.
class LiveList {
 public:
  virtual ~LiveList() = default;
  // Never null; who holds it may use it though the file has changed.
  virtual std::shared_ptr<const EntryList> now() const = 0;
  // False: a list of a web server that has given none yet; it is empty.
  virtual bool is_there() const { return true; }
};

// A list that a web server has.
struct ListAddress {
  std::string url;
  std::vector<std::string> hosts;  // that may be asked for it, as in HttpQuestion
  std::string ca_file;             // likewise
  Duration refresh{};              // how often the server is asked for it
};

class ListFiles {
 public:
  virtual ~ListFiles() = default;
  // Reads the file, unless somebody has it open as a list of this kind already. Not on a loop: it takes as long as the
  // disk does. The failure names the file, and the line where it is one.
  virtual Result<std::shared_ptr<const LiveList>> open(const std::string& path, EntryKind kind) = 0;
  // A list of a web server: the copy that is at hand, and what the server gives from then on. Not on a loop.
  virtual Result<std::shared_ptr<const LiveList>> open(const ListAddress& address, EntryKind kind) = 0;
};

}  // namespace sallyport::io
