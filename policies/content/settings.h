// Settings of the content policy (contract.md, policy.content).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/base/fields.h"
#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace policies {

// What becomes of mail with a certain content.
enum class ContentAction : std::uint8_t { none, tag, quarantine, reject };

struct ContentSettings {
  Mode mode = Mode::enforce;
  ContentAction on_unscannable = ContentAction::reject;
  ContentAction on_conflict = ContentAction::reject;
  ContentAction on_malformed = ContentAction::tag;
  ContentAction on_partial = ContentAction::reject;
  ContentAction on_encrypted = ContentAction::tag;
  // Of mail that readers take differently; honest mailers write such mail too, so it is 0 unless somebody decides
  // otherwise.
  double score = 0;
  double mismatch_score = 2.0;  // of files that are something else than their label and name say
  std::size_t depth = 32;
  std::size_t parts = 1000;
};

extern const settings::SectionOf<ContentSettings> content_section;

}  // namespace policies

template <>
inline constexpr auto words_of<policies::ContentAction> =
    std::to_array<std::string_view>({"none", "tag", "quarantine", "reject"});

}  // namespace sallyport
