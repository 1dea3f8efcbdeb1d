// DrainReports: how this process, when another one has its place, tells that one what its last sessions come to
// (gateway/control/drained.h), so that the figures of these sessions are still seen: every second and at its end.
//
// On the loop of the control socket. The questions wait on the work pool.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gateway/async/nursery.h"
#include "gateway/async/task.h"
#include "gateway/base/metric.h"
#include "gateway/control/drained.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

// What is to be told, from the figures at the moment of the change on. Knows nothing of sockets.
class DrainReport {
 public:
  DrainReport(std::string process, Metrics at_change) : process_(std::move(process)), base_(std::move(at_change)) {}

  // `now`: all figures of this process; the gauges in it are those of the report.
  control::Drained next(Metrics now, bool is_last);
  // What became of the last next(). True when it is to be told again at once, to another process.
  bool heard(const control::DrainedTaken& answer);

 private:
  const std::string process_;
  std::uint64_t number_ = 0;
  std::string taker_;
  Metrics base_;   // what others have been told of, or had counted themselves
  Metrics taken_;  // what taker_ has been told of last
  Metrics last_;   // as of the last next()
};

class DrainReports {
 public:
  static constexpr Duration interval = std::chrono::seconds(1);
  static constexpr Duration patience = std::chrono::milliseconds(500);
  static constexpr Duration last_patience = std::chrono::seconds(2);

  // `figures` gives this process's figures at the moment. What these refer to outlives the object.
  DrainReports(uv::Loop& loop, std::string socket, std::function<Metrics()> figures);

  // A name of this process that no other has.
  const std::string& process() const { return process_; }
  // Another process has the place now. Again: nothing more happens.
  void begin();
  // At the end, when all sessions are over; nothing where begin() was never called. Throws std::bad_alloc: then the
  // other process knows what it was told before.
  Task<void> tell_last();

 private:
  Task<void> tell_again_and_again();
  Task<void> tell(bool is_last, Duration time);

  uv::Loop& loop_;
  const std::string process_;
  const std::string socket_;
  const std::function<Metrics()> figures_;
  std::optional<DrainReport> report_;
  async::Nursery telling_;
};

}  // namespace sallyport::app
