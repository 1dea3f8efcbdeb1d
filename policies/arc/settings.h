// Settings of the ARC policy (contract.md, policy.arc).
#pragma once

#include <string>
#include <vector>

#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport::policies {

// What mail that we change is sealed with.
struct ArcSealSettings {
  std::string domain;    // A-labels; empty: nothing is sealed
  std::string selector;  // likewise
  std::string key_file;  // PEM

  friend bool operator==(const ArcSealSettings&, const ArcSealSettings&) = default;
};

struct ArcSettings {
  Mode mode = Mode::enforce;
  double score = 0;                          // of mail whose chain is broken
  std::vector<std::string> trusted_sealers;  // domains, lower case; "*.example" is what lies below example
  ArcSealSettings seal;
};

extern const settings::SectionOf<ArcSettings> arc_section;

}  // namespace sallyport::policies
