// Settings of the rate policy (contract.md, policy.rate). A rate that is not set is not limited.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport::policies {

// The defaults let a large provider through whose SPF record passes: 20,000 mails a day from a dozen addresses, at up
// to 300 a minute, in whatever order they come. A client that proves nothing has far less.
// Where a configuration gives mail_per_ip alone, that number holds for proven mail and for all other.
struct RateSettings {
  Mode mode = Mode::enforce;
  std::vector<IpNetwork> skip;
  std::optional<Rate> connect_per_ip = Rate{60, std::chrono::minutes(1), 60};
  std::optional<Rate> mail_per_ip = Rate{300, std::chrono::hours(1), 100};
  std::optional<Rate> rcpt_per_ip = Rate{1000, std::chrono::hours(1), 1000};
  std::optional<Rate> proven_mail_per_ip = Rate{3000, std::chrono::hours(1), 1000};
  std::optional<Rate> rcpt_per_sender_domain = Rate{10000, std::chrono::hours(1), 10000};
  std::optional<Rate> mail_per_rcpt;  // per recipient address
};

extern const settings::SectionOf<RateSettings> rate_section;

}  // namespace sallyport::policies
