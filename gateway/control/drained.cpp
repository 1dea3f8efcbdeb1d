#include "gateway/control/drained.h"

#include <algorithm>

#include "gateway/control/answer.h"
#include "gateway/control/metric_json.h"

namespace sallyport::control {

using Json = nlohmann::ordered_json;

std::string encode_drained(const Drained& drained) {
  return to_line({{"command", drained_command},
                  {"process", drained.process},
                  {"number", drained.number},
                  {"for", drained.taker},
                  {"grown", to_json(drained.grown)},
                  {"sessions", drained.sessions},
                  {"memory", drained.memory},
                  {"is_last", drained.is_last}});
}

Result<Drained> decode_drained(std::string_view line) {
  const Failure unusable{"this is no usable \"drained\""};
  if (line.size() > max_drained_bytes) return unusable;
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return unusable;
  Drained drained;
  try {
    if (json.at("command").get<std::string>() != drained_command) return unusable;
    drained.process = json.at("process").get<std::string>();
    drained.number = json.at("number").get<std::uint64_t>();
    drained.taker = json.at("for").get<std::string>();
    drained.grown = metrics_of(json.at("grown"));
    drained.sessions = json.at("sessions").get<std::uint64_t>();
    drained.memory = json.at("memory").get<std::uint64_t>();
    drained.is_last = json.at("is_last").get<bool>();
  } catch (const Json::exception&) {
    return unusable;
  }
  const auto is_gauge = [](const Metric& metric) { return metric.type == MetricType::gauge; };
  if (drained.process.empty() || std::any_of(drained.grown.begin(), drained.grown.end(), is_gauge)) return unusable;
  return drained;
}

std::string encode_drained_taken(const DrainedTaken& taken) {
  return to_line({{"ok", true}, {"by", taken.by}, {"taken", taken.taken}});
}

Result<DrainedTaken> decode_drained_taken(std::string_view line) {
  const auto json = answer(line);
  if (!json) return json.error();
  const auto by = json->find("by");
  const auto taken = json->find("taken");
  if (by == json->end() || !by->is_string() || taken == json->end() || !taken->is_boolean())
    return Failure{"the response does not say who has taken it"};
  return DrainedTaken{by->get<std::string>(), taken->get<bool>()};
}

}  // namespace sallyport::control
