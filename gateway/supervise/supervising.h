// The supervising process: `sallyport run` as it was called. It starts the process that serves, keeps the listening
// sockets, and starts another one on the same sockets when the one that serves has ended, however that came (threats.md
// I10, R10). Clients who connect meanwhile wait in the kernel's queue.
//
// It reads nothing of the network and no configuration, has one thread, and does nothing else. SIGTERM, SIGINT and
// SIGHUP to it are commands to the process that serves. When it is killed, the serving process is killed by the kernel.
// Where the configuration has an address for figures and health, the process for these is kept, too (companion.h).
// A serving process whose loop has not turned for ten seconds is killed and replaced (R13).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gateway/base/result.h"

namespace sallyport::supervise {

struct Orders {
  // Of the serving process, after the program's name.
  std::vector<std::string> arguments;
  // The same of the process for figures and health; empty: it is not this process's.
  std::vector<std::string> companion;
  // Called when no serving process will need the capabilities that this one has.
  std::function<Result<Done>()> give_up_rights;
};

// Whether this process has supervised before, as another program.
bool is_resumed();

// Returns the exit status: that of the serving process, when it was asked to end or was never ready. Throws
// std::bad_alloc before the first process has been started.
int supervise(const Orders& orders);

}  // namespace sallyport::supervise
