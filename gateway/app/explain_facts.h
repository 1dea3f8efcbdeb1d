// The facts of each check as JSON, field by field (policies/api/facts.h).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "gateway/app/explanation.h"

namespace sallyport::app {

// An empty object for a check that leaves no facts.
nlohmann::ordered_json facts_json(std::string_view check, const Explanation& about);
nlohmann::ordered_json evidence_json(const dns::Evidence& asked);

}  // namespace sallyport::app
