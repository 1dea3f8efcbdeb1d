#include "gateway/app/start_limits.h"

#include <sys/resource.h>

#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace sallyport::app {

namespace {

// Standard streams, the log, the database and its companions, keys that a reload reads, signals, the control socket.
constexpr std::size_t descriptors_of_the_process = 20;
// Of a loop: epoll, an event, a pipe for signals.
constexpr std::size_t descriptors_of_a_loop = 4;
// Of one session: the client's connection, the upstream's, a spool file, a DNS question.
constexpr std::size_t descriptors_of_a_session = 4;
// Those of the log, the database and libuv's work pool (which ends the process when it gets no thread).
constexpr std::size_t further_threads = 6;

std::size_t threads_beside_this_one(std::size_t workers) { return workers - 1 + further_threads; }

}  // namespace

Result<Done> check_open_files(std::size_t workers, std::size_t listeners) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return Done{};
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return Done{};
  const std::size_t of_a_worker = descriptors_of_a_loop + listeners + descriptors_of_a_session;
  // A listener accepts nobody any more when nine tenths of all are in use (uv::Listener).
  const std::size_t needed = (descriptors_of_the_process + workers * of_a_worker) * 10 / 9 + 1;
  if (limit.rlim_cur >= needed) return Done{};
  return Failure{"too few open files are allowed: " + std::to_string(workers) + " workers need at least " +
                 std::to_string(needed) + ", each session besides two to four, and the limit is " +
                 std::to_string(limit.rlim_cur) +
                 ". Raise it (LimitNOFILE= of the unit, ulimit -n), or set `workers` lower"};
}

Failure too_few_threads(std::size_t workers, std::size_t started, const char* why) {
  return Failure{"too few threads are allowed: " + std::to_string(workers) + " workers need " +
                 std::to_string(threads_beside_this_one(workers) + 1) + " in all, and after " +
                 std::to_string(started + 1) + " the system gives no more (" + why +
                 "). Raise the limit (TasksMax= and LimitNPROC= of the unit, ulimit -u), or set `workers` lower"};
}

Result<Done> check_threads(std::size_t workers) {
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  std::vector<std::thread> threads;
  std::string why;
  try {
    while (threads.size() < threads_beside_this_one(workers)) threads.emplace_back([ended] { ended.wait(); });
  } catch (const std::system_error& error) {
    why = error.code().message();
  }
  const std::size_t started = threads.size();
  end.set_value();
  for (std::thread& thread : threads) thread.join();
  if (why.empty()) return Done{};
  return too_few_threads(workers, started, why.c_str());
}

}  // namespace sallyport::app
