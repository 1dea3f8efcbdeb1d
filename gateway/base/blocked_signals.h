// BlockedSignals: blocks all signals for this thread while it lives, and for those that are started meanwhile for their
// whole life. Only the thread that has to do with signals leaves them unblocked, so that it alone decides about the end
// of the process.
#pragma once

#include <pthread.h>

#include <csignal>

namespace sallyport {

class BlockedSignals {
 public:
  BlockedSignals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace sallyport
