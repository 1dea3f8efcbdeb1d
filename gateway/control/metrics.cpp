#include "gateway/control/metrics.h"

#include "gateway/control/answer.h"
#include "gateway/control/metric_json.h"

namespace sallyport::control {

using Json = nlohmann::ordered_json;

std::string encode_state(const State& state) {
  return to_line({{"ok", true}, {"metrics", to_json(state.metrics)}, {"not_ready", state.not_ready}});
}

Result<State> decode_state(std::string_view line) {
  const auto json = answer(line);
  if (!json) return json.error();
  const Failure unusable{"the response has no usable \"metrics\""};
  State state;
  try {
    state.metrics = metrics_of(json->at("metrics"));
    state.not_ready = json->at("not_ready").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    return unusable;
  }
  return state;
}

}  // namespace sallyport::control
