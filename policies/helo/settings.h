// Settings of the HELO policy (contract.md, policy.helo).
#pragma once

#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport::policies {

struct HeloSettings {
  Mode mode = Mode::enforce;
  double score = 2.0;  // for a name that is allowed but that no honest mail server gives
};

extern const settings::SectionOf<HeloSettings> helo_section;

}  // namespace sallyport::policies
