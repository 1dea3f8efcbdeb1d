#include "gateway/base/metric.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sallyport {

namespace {

void append_number(std::string& text, double value) {
  if (std::isinf(value)) {
    text += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  if (std::isnan(value)) {
    text += "NaN";
    return;
  }
  std::array<char, 32> digits;
  // Whole numbers without an exponent, as people write them.
  const bool is_whole = std::abs(value) < 1e15 && value == std::floor(value);
  const auto end = is_whole ? std::to_chars(digits.data(), digits.data() + digits.size(), std::int64_t(value)).ptr
                            : std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text.append(digits.data(), end);
}

// In help a backslash and a line feed are escaped, in label values the quotation mark too.
void append_escaped(std::string& text, std::string_view value, bool is_label) {
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\\' || (is_label && c == '"')) {
      text += '\\';
      text += c;
    } else {
      text += c;
    }
  }
}

void append_sample(std::string& text, std::string_view name, const MetricSample& sample) {
  text.append(name).append(sample.suffix);
  char before = '{';
  for (const auto& [label, value] : sample.labels) {
    text += before;
    text.append(label).append("=\"");
    append_escaped(text, value, true);
    text += '"';
    before = ',';
  }
  if (!sample.labels.empty()) text += '}';
  text += ' ';
  append_number(text, sample.value);
  text += '\n';
}

}  // namespace

const Metric* find_metric(std::span<const Metric> metrics, std::string_view name) {
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& one) { return one.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

double value_of(std::span<const Metric> metrics, std::string_view name) {
  const Metric* const metric = find_metric(metrics, name);
  return metric == nullptr || metric->samples.empty() ? 0 : metric->samples.front().value;
}

std::string_view name(MetricType type) {
  switch (type) {
    case MetricType::counter:
      return "counter";
    case MetricType::gauge:
      return "gauge";
    case MetricType::histogram:
      break;
  }
  return "histogram";
}

std::string to_prometheus_text(std::span<const Metric> metrics) {
  std::string text;
  for (const Metric& metric : metrics) {
    if (metric.samples.empty()) continue;
    text.append("# HELP ").append(metric.name) += ' ';
    append_escaped(text, metric.help, false);
    text.append("\n# TYPE ").append(metric.name).append(" ").append(name(metric.type)) += '\n';
    for (const MetricSample& sample : metric.samples) append_sample(text, metric.name, sample);
  }
  return text;
}

MetricName split_name(std::string_view counter) {
  const std::size_t brace = counter.find('{');
  MetricName split{std::string(counter.substr(0, brace)), {}};
  if (brace == counter.npos) return split;
  const std::string_view label = counter.substr(brace + 1);
  const std::size_t is = label.find("=\"");
  const std::size_t end = label.rfind('"');
  if (is == label.npos || end < is + 2) return split;
  split.labels.emplace_back(label.substr(0, is), label.substr(is + 2, end - is - 2));
  return split;
}

}  // namespace sallyport
