#include "gateway/app/start_limits.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "gateway/app/file_room.h"
#include "gateway/uv/open_files.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::app {

namespace {

// Standard streams, the log, the database and its companions, keys that a reload reads, signals, the control socket.
constexpr std::size_t descriptors_of_the_process = 20;
// Of a loop: epoll, an event, a pipe for signals.
constexpr std::size_t descriptors_of_a_loop = 4;
// Of one session: the client's connection, the upstream's, a spool file, a DNS question.
constexpr std::size_t descriptors_of_a_session = 4;
// Those of the log, the database and the lists in files.
constexpr std::size_t further_threads = 3;
// Of the process: the program and its libraries' own data, the configuration, what is learned while it serves.
constexpr std::size_t memory_of_the_process = 96 * 1024 * 1024;
// Of a worker: compiled rules, and a few sessions with their mails.
constexpr std::size_t memory_of_a_worker = 16 * 1024 * 1024;

std::size_t threads_beside_this_one(std::size_t workers) {
  return workers + further_threads + uv::threads_of_work_pool();
}

// Beside the three standard streams: what the parent left open.
std::size_t inherited_descriptors() {
  constexpr std::size_t standard_streams = 3;
  const std::size_t open = count_open_files();
  return open > standard_streams ? open - standard_streams : 0;
}

std::size_t stack_of_a_thread() {
  rlimit limit{};
  constexpr std::size_t where_unlimited = 8 * 1024 * 1024;
  if (::getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return where_unlimited;
  return limit.rlim_cur;
}

// Address space that the C library sets aside for a thread's allocations, most of it never used. It counts for
// RLIMIT_AS only.
std::size_t arena_of_a_thread() {
  constexpr std::size_t arena = 64 * 1024 * 1024;
  rlimit limit{};
  return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? arena : 0;
}

// Threads that do nothing, and end with this object, whatever ends it.
class ThreadsOnTrial {
 public:
  explicit ThreadsOnTrial(std::size_t most) : ended_(end_.get_future().share()) { threads_.reserve(most); }
  ThreadsOnTrial(const ThreadsOnTrial&) = delete;
  ThreadsOnTrial& operator=(const ThreadsOnTrial&) = delete;
  ~ThreadsOnTrial() {
    end_.set_value();
    for (std::thread& thread : threads_) thread.join();
  }

  void add() {
    threads_.emplace_back([ended = ended_] { ended.wait(); });
  }
  std::size_t count() const { return threads_.size(); }

 private:
  std::promise<void> end_;
  const std::shared_future<void> ended_;
  std::vector<std::thread> threads_;
};

std::string in_mebibytes(std::size_t octets) { return std::to_string(octets / (1024 * 1024)) + " MiB"; }

}  // namespace

Result<Done> check_open_files(std::size_t workers, std::size_t listeners) {
  uv::raise_open_files();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return Done{};
  const std::size_t of_a_worker = descriptors_of_a_loop + listeners + descriptors_of_a_session;
  // Nobody is accepted any more when nine tenths of all are in use (FileRoom).
  const std::size_t of_the_process = descriptors_of_the_process + inherited_descriptors();
  const std::size_t needed = (of_the_process + workers * of_a_worker) * 10 / 9 + 1;
  if (limit.rlim_cur >= needed) return Done{};
  return Failure{"too few open files are allowed: " + std::to_string(workers) + " workers need at least " +
                 std::to_string(needed) + ", each session besides two to four, and the limit is " +
                 std::to_string(limit.rlim_cur) +
                 ". Raise it (LimitNOFILE= of the unit, ulimit -n), or set `workers` lower"};
}

Failure too_little_memory() {
  return Failure{
      "there is not enough memory to start. Raise the limit (MemoryMax= and LimitAS= of the unit, ulimit -v)"};
}

// Tried, not computed: what the limits count is the kernel's to say. Nothing is written there, so it costs no memory.
Result<Done> check_memory(std::size_t workers) {
  const std::size_t of_threads = (threads_beside_this_one(workers) + 1) * (stack_of_a_thread() + arena_of_a_thread());
  const std::size_t needed = memory_of_the_process + workers * memory_of_a_worker + of_threads;
  void* const place =
      ::mmap(nullptr, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place != MAP_FAILED) {
    ::munmap(place, needed);
    return Done{};
  }
  return Failure{"too little memory is allowed: " + std::to_string(workers) + " workers and their threads need " +
                 in_mebibytes(needed) +
                 " of address space more. Raise the limit (LimitAS= and LimitDATA= of the unit, " +
                 "ulimit -v and -d), or set `workers` lower"};
}

Failure too_few_threads(std::size_t workers, std::size_t started, const char* why) {
  return Failure{"too few threads are allowed: " + std::to_string(workers) + " workers need " +
                 std::to_string(threads_beside_this_one(workers) + 1) + " in all, and after " +
                 std::to_string(started + 1) + " the system gives no more (" + why +
                 "). Raise the limit (TasksMax= and LimitNPROC= of the unit, ulimit -u), or set `workers` lower"};
}

Failure no_thread_for(const std::string& whom) {
  return Failure{"too few threads are allowed: there is none for " + whom +
                 "; ulimit -u, or TasksMax of systemd, must leave room beside what else runs as this user"};
}

Result<Done> check_threads(std::size_t workers) {
  const std::size_t wanted = threads_beside_this_one(workers);
  ThreadsOnTrial threads(wanted);
  try {
    while (threads.count() < wanted) threads.add();
  } catch (const std::system_error& error) {
    return too_few_threads(workers, threads.count(), error.code().message().c_str());
  }
  return Done{};
}

}  // namespace sallyport::app
