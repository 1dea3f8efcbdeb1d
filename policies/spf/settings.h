// Settings of the SPF policy (contract.md, policy.spf).
#pragma once

#include <cstdint>

#include "policies/api/stage.h"

namespace sallyport::policies {

// What a result leads to.
enum class SpfAction : std::uint8_t { none, score, tempfail, reject };

std::string_view name(SpfAction action);

struct SpfSettings {
  Mode mode = Mode::enforce;
  SpfAction on_fail = SpfAction::score;
  SpfAction on_softfail = SpfAction::score;
  SpfAction on_permerror = SpfAction::score;
  SpfAction on_temperror = SpfAction::none;
  double score = 2.0;  // what a result adds whose action is `score`
};

}  // namespace sallyport::policies
