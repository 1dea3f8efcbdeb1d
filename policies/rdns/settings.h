// Settings of the reverse name policy (contract.md, policy.rdns).
#pragma once

#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport::policies {

struct RdnsSettings {
  Mode mode = Mode::off;
  double score = 2.0;  // for a client without a name that leads back to it
};

extern const settings::SectionOf<RdnsSettings> rdns_section;

}  // namespace sallyport::policies
