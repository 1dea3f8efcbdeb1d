#include "gateway/control/metric_json.h"

#include <utility>

namespace sallyport::control {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const MetricSample& sample) {
  Json json = Json::object();
  if (!sample.suffix.empty()) json["suffix"] = sample.suffix;
  if (!sample.labels.empty()) json["labels"] = sample.labels;
  json["value"] = sample.value;
  return json;
}

Json to_json(const Metric& metric) {
  Json samples = Json::array();
  for (const MetricSample& sample : metric.samples) samples.push_back(to_json(sample));
  return {{"name", metric.name}, {"help", metric.help}, {"type", name(metric.type)}, {"samples", std::move(samples)}};
}

// Each throws when the value is not there or of another type.
MetricSample sample_of(const Json& json) {
  MetricSample sample;
  if (json.contains("suffix")) sample.suffix = json.at("suffix").get<std::string>();
  if (json.contains("labels")) {
    sample.labels = json.at("labels").get<std::vector<std::pair<std::string, std::string>>>();
  }
  sample.value = json.at("value").get<double>();
  return sample;
}

Metric metric_of(const Json& json) {
  Metric metric;
  metric.name = json.at("name").get<std::string>();
  metric.help = json.at("help").get<std::string>();
  const auto type = json.at("type").get<std::string>();
  metric.type = type == "counter"     ? MetricType::counter
                : type == "histogram" ? MetricType::histogram
                                      : MetricType::gauge;
  for (const Json& sample : json.at("samples")) metric.samples.push_back(sample_of(sample));
  return metric;
}

}  // namespace

Json to_json(const Metrics& metrics) {
  Json json = Json::array();
  for (const Metric& metric : metrics) json.push_back(to_json(metric));
  return json;
}

Metrics metrics_of(const Json& json) {
  Metrics metrics;
  for (const Json& metric : json.get_ref<const Json::array_t&>()) metrics.push_back(metric_of(metric));
  return metrics;
}

}  // namespace sallyport::control
