// The settings sections below `policy`, in the order in which they are shown. gateway/config knows nothing else of
// policies.
#pragma once

#include <span>

#include "gateway/settings/section.h"

namespace sallyport::policies {

// First the common mode, then the section of each entry of policy_list(), then the thresholds of the summed score.
std::span<const settings::Section* const> policy_sections();

}  // namespace sallyport::policies
