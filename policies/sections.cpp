#include "policies/sections.h"

#include <vector>

#include "policies/api/actions.h"
#include "policies/api/policy_defaults.h"
#include "policies/policy_list.h"

namespace sallyport::policies {

std::span<const settings::Section* const> policy_sections() {
  static const std::vector<const settings::Section*> sections = [] {
    std::vector<const settings::Section*> all{&policy_defaults_section};
    for (const PolicyEntry* entry : policy_list()) all.push_back(&entry->settings);
    all.push_back(&actions_section);
    return all;
  }();
  return sections;
}

}  // namespace sallyport::policies
