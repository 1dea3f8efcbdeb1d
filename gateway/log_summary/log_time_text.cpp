#include "gateway/log_summary/log_time_text.h"

#include <algorithm>
#include <chrono>

#include "gateway/base/text.h"

namespace sallyport::log_summary {
namespace {

using std::chrono::days;
using std::chrono::floor;

// So many digits at the beginning of `text`, which they are removed from.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t count, unsigned most) {
  if (text.size() < count) return std::nullopt;
  const auto number = text::to_number(text.substr(0, count), most);
  if (!number) return std::nullopt;
  text.remove_prefix(count);
  return static_cast<unsigned>(*number);
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::nanoseconds> parse_fraction(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  const auto number = text::to_number(digits);
  if (!number) return std::nullopt;
  std::uint64_t nanoseconds = *number;
  for (std::size_t i = digits.size(); i < 9; ++i) nanoseconds *= 10;
  return std::chrono::nanoseconds(nanoseconds);
}

}  // namespace

std::optional<WallTime> parse_log_time(std::string_view text) {
  const auto year = take_digits(text, 4, 9999);
  // Nanoseconds since 1970 end in 2262.
  if (!year || *year < 1970 || *year > 2261 || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2, 12);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  WallTime time = std::chrono::sys_days(date);
  if (text.empty()) return time;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto hour = take_digits(text, 2, 23);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2, 59);
  if (!minute) return std::nullopt;
  time += std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  if (take(text, ':')) {
    const auto second = take_digits(text, 2, 60);
    if (!second) return std::nullopt;
    time += std::chrono::seconds(*second);
    if (take(text, '.')) {
      const std::size_t end = std::min(text.find('Z'), text.size());
      const auto fraction = parse_fraction(text.substr(0, end));
      if (!fraction) return std::nullopt;
      time += std::chrono::duration_cast<WallTime::duration>(*fraction);
      text.remove_prefix(end);
    }
  }
  take(text, 'Z');
  if (!text.empty()) return std::nullopt;
  return time;
}

std::optional<WallTime> parse_since(std::string_view text, WallTime now) {
  if (text == "today") return floor<days>(now);
  if (text == "yesterday") return floor<days>(now) - days(1);
  if (const auto before = parse_duration(text)) return now - std::chrono::duration_cast<WallTime::duration>(*before);
  return parse_log_time(text);
}

}  // namespace sallyport::log_summary
