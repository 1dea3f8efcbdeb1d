// Settings of the DKIM policy (contract.md, policy.dkim).
#pragma once

#include <cstddef>

#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport::policies {

struct DkimSettings {
  Mode mode = Mode::enforce;
  // Of mail whose signatures are all broken. RFC 6376, 6.1: such mail is to be treated as if it had none, so it is 0
  // unless somebody decides otherwise.
  double score = 0;
  std::size_t signatures = 10;  // so many are verified, from the top (threats.md D16)
};

extern const settings::SectionOf<DkimSettings> dkim_section;

}  // namespace sallyport::policies
