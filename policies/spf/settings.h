// Settings of the SPF policy (contract.md, policy.spf).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "gateway/base/fields.h"
#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace policies {

// What a result leads to.
enum class SpfAction : std::uint8_t { none, score, tempfail, reject };

struct SpfSettings {
  Mode mode = Mode::enforce;
  SpfAction on_fail = SpfAction::score;
  SpfAction on_softfail = SpfAction::score;
  SpfAction on_permerror = SpfAction::score;
  SpfAction on_temperror = SpfAction::none;
  double score = 2.0;  // what a result adds whose action is `score`
};

extern const settings::SectionOf<SpfSettings> spf_section;

}  // namespace policies

template <>
inline constexpr auto words_of<policies::SpfAction> =
    std::to_array<std::string_view>({"none", "score", "tempfail", "reject"});

}  // namespace sallyport
