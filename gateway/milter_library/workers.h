// Workers: the threads that run a filter's callbacks.
//
// Each waits for whichever connection is readable next, reads from it what is there, makes the callbacks, sends the
// answers, and waits again. A connection is handed out once and armed again by the worker that had it, so its callbacks
// never run at the same time. Whoever owns the workers watches them while none waits (grow()): when connections are
// readable and no worker has taken one for a moment, all are held up in callbacks, and there will be more of them. So a
// callback that blocks holds up its own connection only, and a crowd of quick ones needs no crowd of threads. Workers
// that find nothing to do for a while end.
//
// The waiting is epoll's and not libuv's: through a loop of its own, each command would wake two threads in turn.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "gateway/base/descriptor.h"
#include "gateway/milter_library/connections.h"
#include "gateway/milter_library/filter.h"

namespace sallyport::milter_library {

struct ServingRules {
  // Above a year it is as good as none, and a sum with the clock's seconds would run into Connection::in_message.
  static constexpr std::uint32_t most_io_seconds = 365 * 24 * 3600;
  std::uint32_t io_seconds = 7210;
  std::uint32_t most_data_octets = milter::default_data_octets;
};

enum class Stopping { no, gracefully, at_once };

class Workers : public std::enable_shared_from_this<Workers> {
 public:
  Workers(Filter filter, ServingRules rules) : filter_(std::move(filter)), rules_(rules) {}
  // False: the system has no descriptors or no thread for it.
  bool start();
  // Takes the descriptor of a new connection. False: it was closed, for want of memory.
  bool add(int descriptor);
  Connections& connections() { return connections_; }
  // Readable once no worker waits, until calm() is called: grow() is due, every few milliseconds.
  int busy_descriptor() const { return busy_.get(); }
  // Starts workers if there is need. True: still none waits, so call again.
  bool grow();
  void calm();
  // From then on no connection is waited for after its message, or at all.
  void stop(Stopping how) { stopping_ = how; }
  // Ends the workers that are not in a callback. True when all have ended; otherwise those left end after their
  // callbacks, and keep this object until then.
  bool end(int patience_seconds);

 private:
  bool start_one();
  void run(char* buffer);
  Connection* wait();
  void say_busy();
  void serve(Connection& connection, char* buffer);
  bool read_and_take(Connection& connection, char* buffer, std::uint32_t& deadline);
  bool arm(Connection& connection, std::uint32_t deadline);

  const Filter filter_;
  const ServingRules rules_;
  Connections connections_;
  Descriptor epoll_;
  Descriptor end_;  // readable once the workers shall end
  std::atomic<Stopping> stopping_ = Stopping::no;
  Descriptor busy_;
  std::atomic<bool> is_said_busy_ = false;
  std::atomic<int> waiting_ = 0;
  std::atomic<std::uint32_t> taken_ = 0;  // connections, by workers, so far
  std::uint32_t taken_before_ = 0;        // at the last grow()
  std::uint32_t started_before_ = 0;      // workers, by that
  std::uint32_t next_growth_ = 1;         // workers; doubles while it does not suffice
  std::atomic<bool> is_ended_ = false;
  std::mutex mutex_;
  std::condition_variable all_gone_;
  int running_ = 0;
};

}  // namespace sallyport::milter_library
