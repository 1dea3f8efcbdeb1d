#include "gateway/base/metric_sums.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace sallyport {

namespace {

// What tells the series of one name apart.
using Key = std::pair<std::string_view, const std::vector<std::pair<std::string, std::string>>*>;
struct ByLabels {
  bool operator()(const Key& a, const Key& b) const {
    return a.first != b.first ? a.first < b.first : *a.second < *b.second;
  }
};
Key key_of(const MetricSample& sample) { return {sample.suffix, &sample.labels}; }

}  // namespace

Metrics growth(const Metrics& before, const Metrics& now) {
  Metrics grown;
  for (const Metric& metric : now) {
    if (metric.type == MetricType::gauge) continue;
    std::map<Key, double, ByLabels> known;
    if (const Metric* const old = find_metric(before, metric.name)) {
      for (const MetricSample& sample : old->samples) known[key_of(sample)] = sample.value;
    }
    Metric more{metric.name, metric.help, metric.type, {}};
    for (const MetricSample& sample : metric.samples) {
      const auto old = known.find(key_of(sample));
      const double by = sample.value - (old == known.end() ? 0 : old->second);
      if (by > 0) more.samples.push_back({sample.suffix, sample.labels, by});
    }
    if (!more.samples.empty()) grown.push_back(std::move(more));
  }
  return grown;
}

void add_growth(Metrics& sums, const Metrics& more) {
  for (const Metric& metric : more) {
    if (metric.type == MetricType::gauge) continue;
    const Metric* const found = find_metric(sums, metric.name);
    if (found == nullptr) {
      sums.push_back(metric);
      continue;
    }
    Metric* const sum = &sums[static_cast<std::size_t>(found - sums.data())];
    std::map<Key, std::size_t, ByLabels> places;
    for (std::size_t i = 0; i < sum->samples.size(); ++i) places[key_of(sum->samples[i])] = i;
    std::vector<MetricSample> fresh;  // the keys above refer to what is there
    for (const MetricSample& sample : metric.samples) {
      const auto place = places.find(key_of(sample));
      if (place == places.end()) {
        fresh.push_back(sample);
      } else {
        sum->samples[place->second].value += sample.value;
      }
    }
    std::move(fresh.begin(), fresh.end(), std::back_inserter(sum->samples));
  }
}

}  // namespace sallyport
