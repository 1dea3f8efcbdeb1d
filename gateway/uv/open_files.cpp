#include "gateway/uv/open_files.h"

#include <sys/resource.h>

#include <limits>

namespace sallyport::uv {

namespace {

constexpr std::uint64_t files_of_a_session = 3;
// Log, database, loops, listeners, keys that a reload reads.
constexpr std::uint64_t files_of_the_process = 50;

// A listener accepts nobody any more when nine tenths of all are in use (listener.h).
std::uint64_t with_reserve(std::uint64_t files) { return files * 10 / 9 + 1; }

}  // namespace

std::uint64_t most_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == RLIM_INFINITY)
    return std::numeric_limits<std::uint64_t>::max();
  return limit.rlim_max;
}

void raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::optional<std::string> too_few_open_files(std::uint64_t sessions, bool is_default) {
  constexpr std::uint64_t most_sessions = std::numeric_limits<std::uint64_t>::max() / 100;
  if (sessions > most_sessions) sessions = most_sessions;
  const std::uint64_t most = most_open_files();
  const std::uint64_t needed = with_reserve(files_of_the_process + files_of_a_session * sessions);
  if (most >= (is_default ? sessions : needed)) return std::nullopt;
  const std::uint64_t usable = most / 10 * 9;
  const std::uint64_t possible =
      usable <= files_of_the_process ? 1 : (usable - files_of_the_process) / files_of_a_session;
  return std::to_string(sessions) + " sessions may need " + std::to_string(needed) +
         " open files, and the hard limit of this process is " + std::to_string(most) +
         ": when they run out, new clients wait and mail is put off with 451 4.3.1. Raise it (LimitNOFILE= of the "
         "unit, " +
         "ulimit -Hn), or set limits.sessions to " + std::to_string(possible);
}

}  // namespace sallyport::uv
