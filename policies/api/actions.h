// The thresholds for a mail's summed score (contract.md, policy.actions).
#pragma once

#include "gateway/settings/section.h"

namespace sallyport::policies {

// Each applies to scores equal to or above it.
struct ActionSettings {
  double tag = 5.0;
  double quarantine = 10.0;
  double reject = 15.0;
};

extern const settings::SectionOf<ActionSettings> actions_section;

}  // namespace sallyport::policies
