#include "gateway/control/metrics.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "gateway/control/answer.h"

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

std::string encode_state(const State& state) {
  Json metrics = Json::array();
  for (const Metric& metric : state.metrics) metrics.push_back(to_json(metric));
  return to_line({{"ok", true}, {"metrics", std::move(metrics)}, {"not_ready", state.not_ready}});
}

Result<State> decode_state(std::string_view line) {
  const auto json = answer(line);
  if (!json) return json.error();
  const Failure unusable{"the response has no usable \"metrics\""};
  State state;
  try {
    const Json& metrics = json->at("metrics");
    if (!metrics.is_array()) return unusable;
    for (const Json& metric : metrics) state.metrics.push_back(metric_of(metric));
    state.not_ready = json->at("not_ready").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    return unusable;
  }
  return state;
}

}  // namespace sallyport::control
