// Metrics as JSON, for the messages that have them. Only for this folder.
#pragma once

#include <nlohmann/json.hpp>

#include "gateway/base/metric.h"

namespace sallyport::control {

nlohmann::ordered_json to_json(const Metrics& metrics);
// Throws nlohmann::ordered_json::exception when they are none.
Metrics metrics_of(const nlohmann::ordered_json& json);

}  // namespace sallyport::control
