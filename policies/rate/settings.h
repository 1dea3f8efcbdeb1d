// Settings of the rate policy (contract.md, policy.rate). A rate that is not set is not limited.
#pragma once

#include <chrono>
#include <optional>

#include "gateway/base/units.h"
#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport::policies {

struct RateSettings {
  Mode mode = Mode::enforce;
  std::optional<Rate> connect_per_ip = Rate{60, std::chrono::minutes(1), 60};
  std::optional<Rate> mail_per_ip = Rate{300, std::chrono::hours(1), 100};
  std::optional<Rate> rcpt_per_sender_domain = Rate{1000, std::chrono::hours(1), 1000};
  std::optional<Rate> mail_per_rcpt;  // per recipient address
};

extern const settings::SectionOf<RateSettings> rate_section;

}  // namespace sallyport::policies
