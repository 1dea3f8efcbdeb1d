#include "gateway/url/punycode.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gateway/base/text.h"

namespace sallyport::url {

namespace {

constexpr std::size_t max_label_octets = 63;
// RFC 3492, 5.
constexpr std::uint32_t base = 36, first_threshold = 1, last_threshold = 26, skew = 38, damp = 700, first_bias = 72;

std::uint32_t adapted(std::uint32_t delta, std::uint32_t points, bool is_first) {
  delta = is_first ? delta / damp : delta / 2;
  delta += delta / points;
  std::uint32_t k = 0;
  for (; delta > (base - first_threshold) * last_threshold / 2; k += base) delta /= base - first_threshold;
  return k + (base - first_threshold + 1) * delta / (delta + skew);
}

char digit(std::uint32_t value) { return static_cast<char>(value < 26 ? 'a' + value : '0' + (value - 26)); }

void append_number(std::string& out, std::uint32_t number, std::uint32_t bias) {
  for (std::uint32_t k = base;; k += base) {
    const std::uint32_t threshold = k <= bias ? first_threshold : std::min(k - bias, last_threshold);
    if (number < threshold) break;
    out += digit(threshold + (number - threshold) % (base - threshold));
    number = (number - threshold) / (base - threshold);
  }
  out += digit(number);
}

std::optional<std::vector<char32_t>> code_points(std::string_view utf8) {
  std::vector<char32_t> points;
  while (!utf8.empty()) {
    const auto point = text::decode_utf8(utf8);
    if (!point) return std::nullopt;
    points.push_back(point->value);
    utf8.remove_prefix(point->octets);
  }
  return points;
}

}  // namespace

std::optional<std::string> to_punycode(std::string_view label) {
  if (text::is_ascii(label)) return std::string(label);
  // Each character becomes one octet at least, and none has more than four: so the numbers below fit 32 bits.
  if (label.size() > 4 * max_label_octets) return std::nullopt;
  const auto points = code_points(label);
  if (!points) return std::nullopt;
  std::string out;
  for (const char32_t point : *points) {
    if (point < 0x80) out += static_cast<char>(point);
  }
  const auto plain = static_cast<std::uint32_t>(out.size());
  if (plain > 0) out += '-';
  std::uint32_t delta = 0, bias = first_bias, done = plain;
  for (char32_t next = 0x80; done < points->size(); ++next) {
    char32_t least = 0x110000;
    for (const char32_t point : *points) {
      if (point >= next) least = std::min(least, point);
    }
    delta += static_cast<std::uint32_t>(least - next) * (done + 1);
    next = least;
    for (const char32_t point : *points) {
      if (point < next) ++delta;
      if (point != next) continue;
      append_number(out, delta, bias);
      bias = adapted(delta, done + 1, done == plain);
      delta = 0;
      ++done;
    }
    ++delta;
  }
  out.insert(0, "xn--");
  if (out.size() > max_label_octets) return std::nullopt;
  return out;
}

}  // namespace sallyport::url
