// Metric: a figure of the gateway with its name, its meaning and its values, as Prometheus understands it.
//
// Label values come from the configuration and from closed sets, never from peers: so their number stays as it is
// whatever peers do (threats.md I8, A10, R15).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

enum class MetricType : std::uint8_t { counter, gauge, histogram };
std::string_view name(MetricType type);

struct MetricSample {
  std::string suffix;                                       // of a histogram: "_bucket", "_sum", "_count"
  std::vector<std::pair<std::string, std::string>> labels;  // in display order
  double value = 0;
  friend bool operator==(const MetricSample&, const MetricSample&) = default;
};

struct Metric {
  std::string name;  // "sallyport_relayed_total"
  std::string help;  // one sentence
  MetricType type = MetricType::gauge;
  std::vector<MetricSample> samples;
  friend bool operator==(const Metric&, const Metric&) = default;
};

using Metrics = std::vector<Metric>;

// The metric of that name; null where there is none.
const Metric* find_metric(std::span<const Metric> metrics, std::string_view name);
// The value of the first sample of the metric of that name; 0 where there is none.
double value_of(std::span<const Metric> metrics, std::string_view name);

// The text format of Prometheus, version 0.0.4: HELP and TYPE before the samples of each metric, one a line.
std::string to_prometheus_text(std::span<const Metric> metrics);

// A name as the counters give them: `sallyport_faults_total{kind="spool"}` is a name and one label.
struct MetricName {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
};
MetricName split_name(std::string_view counter);

}  // namespace sallyport
