// FileRoom: whether there are open files (descriptors) enough for one more session.
//
// A session takes three: its client's connection, one to a server, and a spool file or the socket of a question to DNS.
// It is accepted only while three are left for it beyond what the mails under way may still take: one more each, as
// they have their client and their server already. A session without a mail has its one descriptor and is promised
// nothing more; when it begins a mail, that may find none left (451 4.3.1). Without this difference, clients that only
// keep their connections open would shut out three times as many others.
//
// It counts with what the counters say, not with descriptor numbers: the kernel gives the lowest free one, which says
// little once sessions have ended in another order than they began. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gateway/base/counters.h"

namespace sallyport::app {

class FileRoom {
 public:
  // When everything is open that has nothing to do with sessions. A tenth of the limit (RLIMIT_NOFILE) is kept back.
  static FileRoom of_this_process(const Counters& counters);
  FileRoom(const Counters& counters, std::int64_t usable, std::int64_t open_now)
      : counters_(&counters), usable_(usable - open_now) {}

  // A connection to a server that is kept idle is one that the session need not open. The first session always has
  // room: the start has seen to that.
  bool has_room_for_a_session() const;

 private:
  const Counters* counters_;
  std::int64_t usable_;  // by sessions
};

// How many descriptors this process has open.
std::size_t count_open_files();
// How many it may have: its soft limit.
std::size_t most_open_files();

}  // namespace sallyport::app
