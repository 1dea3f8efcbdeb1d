#include "gateway/app/file_room.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include "gateway/base/directory.h"

namespace sallyport::app {

namespace {

constexpr std::int64_t files_of_a_session = 3;

}  // namespace

std::size_t count_open_files() {
  std::size_t open = 0;
  Directory descriptors("/proc/self/fd");
  while (descriptors.next()) ++open;
  return open == 0 ? 0 : open - 1;  // without the one of the directory that is read here
}

std::size_t most_open_files() {
  rlimit limit{};
  const bool is_limited = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  constexpr rlim_t most = std::numeric_limits<std::int32_t>::max();
  return is_limited ? std::min(limit.rlim_cur, most) : most;
}

FileRoom FileRoom::of_this_process(const Counters& counters) {
  const std::size_t files = most_open_files();
  return {counters, static_cast<std::int64_t>(files / 10 * 9), static_cast<std::int64_t>(count_open_files())};
}

bool FileRoom::has_room_for_a_session() const {
  const std::int64_t sessions = counters_->get(Gauge::sessions);
  const std::int64_t connections = counters_->get(Gauge::upstream_open);
  const std::int64_t idle = counters_->get(Gauge::upstream_idle);
  const std::int64_t mails = connections - idle;
  const std::int64_t wanted = idle > 0 ? files_of_a_session - 1 : files_of_a_session;
  return sessions == 0 || sessions + connections + mails + wanted <= usable_;
}

}  // namespace sallyport::app
