#include "gateway/state/clock_watch.h"

#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <exception>
#include <string>

namespace sallyport::state {

namespace {

// No gateway has run before this: the beginning of 2025.
constexpr WallTime earliest{std::chrono::seconds(1'735'689'600)};
constexpr Duration most_absence = std::chrono::hours(24 * 365);

}  // namespace

void ClockWatch::remember(WallTime last_known) {
  const std::lock_guard lock(mutex_);
  last_known_ = last_known;
}

bool ClockWatch::is_plausible(WallTime wall) const {
  if (wall < earliest) return false;
  if (last_known_ < earliest) return true;  // nothing is known
  return wall >= last_known_ - ClockTrust::most_drift && wall <= last_known_ + most_absence;
}

bool ClockWatch::is_suspect(WallTime wall, Time steady) noexcept {
  const std::lock_guard lock(mutex_);
  const Duration offset = std::chrono::duration_cast<Duration>(wall.time_since_epoch()) - steady.time_since_epoch();
  const Duration moved_by = offset_ ? offset - *offset_ : Duration::zero();
  const bool is_even = offset_ ? std::chrono::abs(moved_by) <= ClockTrust::most_drift : is_plausible(wall);
  offset_ = offset;
  if (!is_even) tell(wall, moved_by);
  return !trust_.may_expire(wall, steady, is_even);
}

bool ClockWatch::is_suspect_now() noexcept {
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const Time steady(std::chrono::seconds(since_boot.tv_sec) + std::chrono::nanoseconds(since_boot.tv_nsec));
  return is_suspect(std::chrono::system_clock::now(), steady);
}

void ClockWatch::tell(WallTime wall, Duration moved_by) noexcept {
  counters_.add(Fault::clock_suspect);
  try {
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(std::chrono::abs(moved_by)).count();
    std::string detail = "the clock was set " + std::string(moved_by > Duration::zero() ? "forward" : "back") + " by " +
                         std::to_string(hours) + " hours";
    if (moved_by == Duration::zero()) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wall.time_since_epoch()).count();
      detail = "the clock stood at " + std::to_string(seconds) + " s since 1970 at the start, which cannot be right";
    }
    detail += "; nothing expires by it until it has run evenly for a day";
    log_.write(LogLevel::warning, "fault", {{"kind", name(Fault::clock_suspect)}, {"detail", detail}});
  } catch (const std::exception&) {
    // It has been counted.
  }
}

WallTime last_change_of(const std::string& path) {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return WallTime(std::chrono::seconds(status.st_mtim.tv_sec));
}

}  // namespace sallyport::state
