#include "gateway/cli/quantity_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sallyport::cli {

std::string number_text(double value, int digits) {
  std::array<char, 64> text;
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, 63))};
}

std::string octets_text(double value) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return number_text(value, unit == 0 ? 0 : 1) + " " + units[unit];
}

std::string time_text(double seconds) {
  return seconds < 1 ? number_text(seconds * 1000, seconds < 0.01 ? 1 : 0) + " ms" : number_text(seconds, 1) + " s";
}

std::string span_text(double seconds) {
  const auto all = static_cast<long long>(seconds);
  const std::string clock = std::to_string(all / 3600 % 24) + "h" + std::to_string(all / 60 % 60) + "m";
  return all >= 86400 ? std::to_string(all / 86400) + "d" + clock : clock + std::to_string(all % 60) + "s";
}

}  // namespace sallyport::cli
