// Starting the log's thread before anything is served, so that a system without a thread for it ends the start with a
// sentence instead of leaving a gateway that serves and tells nothing.
#pragma once

#include "gateway/base/log.h"

namespace sallyport {

// Starts the thread of a log that open_log() has made; without this call it starts with the first line. To be called
// when the process has given up its privileges (log_writer.h says why). False: the system has no thread for it. True
// for every other kind of log.
bool start_thread_of(Log& log);

}  // namespace sallyport
