// Duration, Time, WallTime and Rate, and the configuration's text for durations "5s", sizes "25MiB" and rates "300/1h
// burst 50".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

using Duration = std::chrono::nanoseconds;
// Monotonic: deadlines do not move when the wall clock is set (threats.md I12, R8).
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::system_clock::time_point;

struct Rate {
  std::uint64_t count = 0;  // events
  Duration per{};           // per this time
  std::uint64_t burst = 0;  // and this many at once; a text without `burst` means the count
  friend bool operator==(const Rate&, const Rate&) = default;
};

// The parse functions give nothing if the text is malformed or the value too large. They accept what to_text() writes.
std::optional<Duration> parse_duration(std::string_view text);   // "250ms" "5s" "10m" "1h" "30d", also us and ns
std::optional<std::uint64_t> parse_size(std::string_view text);  // octets: "512", "64KiB", "25MiB", "1GiB", also TiB
std::optional<Rate> parse_rate(std::string_view text);           // "300/1h burst 50"
std::string to_text(Duration duration);
std::string size_to_text(std::uint64_t octets);
std::string to_text(const Rate& rate);

// RFC 5322, 3.3: "Sun, 22 Nov 2026 21:55:29 +0000".
std::string mail_date(WallTime time);
// RFC 3339 with milliseconds, UTC: "2026-11-22T21:55:29.123Z".
std::string log_time(WallTime time);
void append_log_time(std::string& out, WallTime time);

}  // namespace sallyport
