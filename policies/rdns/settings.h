// Settings of the reverse name policy (contract.md, policy.rdns).
#pragma once

#include "policies/api/stage.h"

namespace sallyport::policies {

struct RdnsSettings {
  Mode mode = Mode::off;
  double score = 2.0;  // for a client without a name, or whose names do not lead back to it
};

}  // namespace sallyport::policies
