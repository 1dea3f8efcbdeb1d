#include "gateway/base/units.h"

#include <fmt/format.h>

#include <array>

#include "gateway/base/text.h"

namespace sallyport {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t worth;
};

// Largest first: values are written in the largest unit that needs no fraction.
constexpr std::array<Unit, 7> duration_units{{{"d", 86'400'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"s", 1'000'000'000},
                                              {"ms", 1'000'000},
                                              {"us", 1'000},
                                              {"ns", 1}}};
constexpr std::array<Unit, 5> size_units{{{"TiB", std::uint64_t{1} << 40},
                                          {"GiB", std::uint64_t{1} << 30},
                                          {"MiB", std::uint64_t{1} << 20},
                                          {"KiB", std::uint64_t{1} << 10},
                                          {"", 1}}};

// Digits directly followed by a unit's name; nothing if the value exceeds `most`.
template <std::size_t N>
std::optional<std::uint64_t> parse_amount(std::string_view text, const std::array<Unit, N>& units, std::uint64_t most) {
  std::size_t digits = 0;
  while (digits < text.size() && text::is_digit(text[digits])) ++digits;
  for (const Unit& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    auto number = text::to_number(text.substr(0, digits), most / unit.worth);
    if (!number) return std::nullopt;
    return *number * unit.worth;
  }
  return std::nullopt;
}

template <std::size_t N>
std::string amount_to_text(std::uint64_t amount, const std::array<Unit, N>& units) {
  for (const Unit& unit : units) {
    if (amount % unit.worth == 0) return std::to_string(amount / unit.worth).append(unit.name);
  }
  return std::to_string(amount);
}

// The wall clock's calendar fields, in UTC.
struct Calendar {
  explicit Calendar(WallTime time)
      : day(std::chrono::floor<std::chrono::days>(time)),
        date(day),
        clock(std::chrono::floor<std::chrono::milliseconds>(time) - day) {}

  int year() const { return static_cast<int>(date.year()); }
  unsigned month() const { return static_cast<unsigned>(date.month()); }
  unsigned day_of_month() const { return static_cast<unsigned>(date.day()); }
  unsigned weekday() const { return std::chrono::weekday(day).c_encoding(); }

  std::chrono::sys_days day;
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> clock;
};

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  auto amount = parse_amount(text, duration_units, static_cast<std::uint64_t>(Duration::max().count()));
  if (!amount) return std::nullopt;
  return Duration(static_cast<Duration::rep>(*amount));
}

std::optional<std::uint64_t> parse_size(std::string_view text) { return parse_amount(text, size_units, UINT64_MAX); }

std::optional<Rate> parse_rate(std::string_view text) {
  std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto count = text::to_number(text.substr(0, slash));
  std::string_view rest = text.substr(slash + 1);
  std::size_t space = rest.find(' ');
  auto per = parse_duration(rest.substr(0, space));
  // A count or time of zero is not a rate.
  if (!count || *count == 0 || !per || *per == Duration::zero()) return std::nullopt;
  if (space == std::string_view::npos) return Rate{*count, *per, *count};

  constexpr std::string_view burst_word = "burst";
  rest = text::trim(rest.substr(space));
  if (!rest.starts_with(burst_word)) return std::nullopt;
  rest.remove_prefix(burst_word.size());
  if (rest.empty() || !text::is_space(rest.front())) return std::nullopt;
  auto burst = text::to_number(text::trim(rest));
  if (!burst || *burst == 0) return std::nullopt;
  return Rate{*count, *per, *burst};
}

std::string to_text(Duration duration) {
  auto count = static_cast<std::uint64_t>(duration.count());
  if (duration == Duration::zero()) return "0s";
  if (duration < Duration::zero()) return "-" + amount_to_text(0 - count, duration_units);
  return amount_to_text(count, duration_units);
}

std::string size_to_text(std::uint64_t octets) { return octets == 0 ? "0" : amount_to_text(octets, size_units); }

std::string to_text(const Rate& rate) {
  std::string text = std::to_string(rate.count) + "/" + to_text(rate.per);
  if (rate.burst != rate.count) text += " burst " + std::to_string(rate.burst);
  return text;
}

std::string mail_date(WallTime time) {
  // Not strftime: its names depend on the locale.
  static constexpr const char* weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  Calendar at(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", weekdays[at.weekday()], at.day_of_month(),
                     months[at.month() - 1], at.year(), at.clock.hours().count(), at.clock.minutes().count(),
                     at.clock.seconds().count());
}

void append_log_time(std::string& out, WallTime time) {
  // Written digit by digit: every log line contains it, and printf would be a third of the line's cost.
  auto digits = [&out](std::int64_t number, std::int64_t highest_place) {
    for (std::int64_t place = highest_place; place > 0; place /= 10)
      out += static_cast<char>('0' + number / place % 10);
  };
  Calendar at(time);
  digits(at.year(), 1000);
  out += '-';
  digits(at.month(), 10);
  out += '-';
  digits(at.day_of_month(), 10);
  out += 'T';
  digits(at.clock.hours().count(), 10);
  out += ':';
  digits(at.clock.minutes().count(), 10);
  out += ':';
  digits(at.clock.seconds().count(), 10);
  out += '.';
  digits(at.clock.subseconds().count(), 100);
  out += 'Z';
}

std::string log_time(WallTime time) {
  std::string out;
  append_log_time(out, time);
  return out;
}

}  // namespace sallyport
