// The setting that every policy without a mode of its own takes: policy.mode (contract.md, section 3).
#pragma once

#include <string_view>

#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport::policies {

struct PolicyDefaults {
  Mode mode = Mode::enforce;
};

extern const settings::SectionOf<PolicyDefaults> policy_defaults_section;

// Makes the row `mode` of a policy's section: `mode_row<&SpfSettings::mode>("How the check of the sender takes
// part.")`.
template <auto Member>
constexpr settings::Row mode_row(std::string_view doc) {
  return settings::row<Member>("mode", doc, {.falls_back_to = {"policy.mode", true}});
}

}  // namespace sallyport::policies
