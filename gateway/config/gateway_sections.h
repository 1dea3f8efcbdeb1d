// The sections of the gateway's own settings, and where the struct of each is in Settings.
#pragma once

#include <span>

#include "gateway/config/gateway_settings.h"
#include "gateway/settings/section.h"

namespace sallyport::config {

struct GatewaySection {
  const settings::Section* section;
  // Gives the section's struct. `which` has one place for each "*" and "[]" of the section's path; an element that does
  // not exist yet is created. Null for the section whose keys take effect while files are read (include).
  void* (*locate)(Settings& settings, std::span<const settings::Place> which);
};

// In the order in which they are shown; the sections of the policies come between the two parts.
std::span<const GatewaySection> sections_before_policy();
std::span<const GatewaySection> sections_after_policy();

}  // namespace sallyport::config
