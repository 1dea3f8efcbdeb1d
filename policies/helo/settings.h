// Settings of the HELO policy (contract.md, policy.helo).
#pragma once

#include "policies/api/stage.h"

namespace sallyport::policies {

struct HeloSettings {
  Mode mode = Mode::enforce;
  double score = 2.0;  // for a name that is legal but that no honest mail server gives
};

}  // namespace sallyport::policies
