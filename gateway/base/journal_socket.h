// JournalSocket: sends entries to the systemd journal, a datagram each. Private to the log.
//
// An entry that no datagram can hold goes in sealed memory (memfd_create(2)), as sd_journal_send(3) does it. A journal
// that was started anew is connected to again. Only one thread may use it at a time.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "gateway/base/descriptor.h"
#include "gateway/base/result.h"

namespace sallyport {

class JournalSocket {
 public:
  static constexpr const char* usual_path = "/run/systemd/journal/socket";

  // The failure says why nobody takes entries there.
  static Result<JournalSocket> open(std::string path);

  // Waits for room as long as `give_up` is false, which it looks at twenty times a second. False: the entry is lost.
  bool send(std::string_view entry, const std::atomic<bool>& give_up);

  const std::string& path() const { return path_; }
  const Descriptor& descriptor() const { return socket_; }

 private:
  explicit JournalSocket(std::string path) : path_(std::move(path)) {}
  // 0, or what is wrong.
  int connect();
  int send_datagram(std::string_view entry) const;
  int send_memory(std::string_view entry) const;

  std::string path_;
  Descriptor socket_;
};

// True when standard error goes to the journal: JOURNAL_STREAM (systemd.exec(5)), which `value` is, names its device
// and its inode.
bool is_journal_stream(const char* value, int descriptor);

}  // namespace sallyport
