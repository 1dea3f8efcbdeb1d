// Settings of the sender domain policy (contract.md, policy.sender_domain).
#pragma once

#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport::policies {

struct SenderDomainSettings {
  Mode mode = Mode::enforce;
  double score = 3.0;  // for a domain that cannot receive replies
};

extern const settings::SectionOf<SenderDomainSettings> sender_domain_section;

}  // namespace sallyport::policies
