// The sessions that are open, for `sallyport sessions`: what each worker has seen of its own, and all of it put in
// order.
//
// However many sessions there are, a worker keeps no more of them than are asked for, and looks at a few in each turn
// of its loop (Worker::tell_sessions). What is made of that is made on the work pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "gateway/app/moment.h"
#include "gateway/control/sessions.h"
#include "gateway/session/look.h"

namespace sallyport::app {

// Keeps the first `most` of those that it is offered.
class FirstSessions {
 public:
  FirstSessions(control::SessionOrder order, std::size_t most) : order_(order), most_(most) {}
  void offer(session::Look look);
  // In no order.
  std::vector<session::Look> take() { return std::move(kept_); }

 private:
  const control::SessionOrder order_;
  const std::size_t most_;
  std::vector<session::Look> kept_;  // a heap: the last of the order in front
};

// What the workers have seen; any thread.
class SeenSessions {
 public:
  struct Part {
    std::size_t worker = 0;  // the first is 1
    std::uint64_t open = 0;
    std::vector<session::Look> first;
  };
  void add(Part part) {
    const std::lock_guard lock(mutex_);
    parts_.push_back(std::move(part));
  }
  std::vector<Part> take() {
    const std::lock_guard lock(mutex_);
    return std::move(parts_);
  }

 private:
  std::mutex mutex_;
  std::vector<Part> parts_;
};

// `workers`: so many were asked. Texts of peers are made showable.
control::SessionReports session_reports(std::vector<SeenSessions::Part> parts, const control::SessionsRequest& request,
                                        std::size_t workers, const Moment& moment);

}  // namespace sallyport::app
