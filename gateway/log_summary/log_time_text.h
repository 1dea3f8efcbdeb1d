// Points in time as the log writes them and as people give them to `report --since`. All in UTC, as the log is.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/base/units.h"

namespace sallyport::log_summary {

// "2026-11-22T21:55:29.123Z", with or without the fraction, the Z and the time of day: what is missing is zero.
std::optional<WallTime> parse_log_time(std::string_view text);

// The same, or "today", "yesterday", or how long before `now`: "24h", "7d".
std::optional<WallTime> parse_since(std::string_view text, WallTime now);

}  // namespace sallyport::log_summary
