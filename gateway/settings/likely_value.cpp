#include "gateway/settings/likely_value.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/base/units.h"

namespace sallyport::settings {
namespace {

// Other people's words for a unit begin with one of these, in lower case; the first that fits counts.
using Units = std::pair<std::string_view, std::string_view>;
constexpr std::array durations{Units{"ms", "ms"}, Units{"milli", "ms"}, Units{"d", "d"}, Units{"h", "h"},
                               Units{"m", "m"},   Units{"s", "s"},      Units{"", "s"}};
constexpr std::array sizes{Units{"k", "KiB"}, Units{"m", "MiB"}, Units{"g", "GiB"}, Units{"t", "TiB"},
                           Units{"o", ""},    Units{"b", ""},    Units{"", ""}};

std::size_t end_of_digits(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
}

// A number with the unit that a word stands for.
template <std::size_t N>
std::string with_unit(std::string_view text, const std::array<Units, N>& units) {
  const std::size_t end = end_of_digits(text);
  if (end == 0) return {};
  const std::string word = text::to_lower(text::trim(text.substr(end)));
  for (const auto& [begins, unit] : units) {
    const bool fits = begins.empty() ? word.empty() : word.starts_with(begins);
    if (fits) return std::string(text.substr(0, end)) + std::string(unit);
  }
  return {};
}

// "300", "300 per minute", "300/h" as a rate; alone it is one of an hour.
std::string as_rate(std::string_view text) {
  const std::size_t end = end_of_digits(text);
  if (end == 0) return {};
  std::string_view rest = text::trim(text.substr(end));
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (rest.starts_with("per ") || rest.starts_with("a ")) rest.remove_prefix(rest.find(' '));
  rest = text::trim(rest);
  if (rest.empty()) rest = "h";
  const std::string one = end_of_digits(rest) == 0 ? "1" + std::string(rest) : std::string(rest);
  return std::string(text.substr(0, end)) + "/" + with_unit(one, durations);
}

}  // namespace

std::string likely_value(std::string_view type, std::string_view text) {
  std::string likely;
  bool is_readable = false;
  if (type == "duration") {
    likely = with_unit(text, durations);
    is_readable = parse_duration(likely).has_value();
  } else if (type == "size") {
    likely = with_unit(text, sizes);
    is_readable = parse_size(likely).has_value();
  } else if (type == "rate") {
    likely = as_rate(text);
    is_readable = parse_rate(likely).has_value();
  }
  return is_readable && likely != text ? likely : std::string();
}

}  // namespace sallyport::settings
