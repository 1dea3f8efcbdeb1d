#include "policies/advisers.h"

#include "policies/api/actions.h"
#include "policies/dnsbl/dead_lists.h"
#include "policies/milters/dead_listeners.h"
#include "policies/milters/scarce_connections.h"
#include "policies/rate/dead_rates.h"

namespace sallyport::policies {

namespace {

// The gravest action whose threshold is reached is taken.
void find_dead_actions(const ActionSettings& actions, Advice& advice) {
  const auto has_no_effect = [&advice](std::string_view key, const char* becomes, std::string_view lower) {
    advice.warn({key, lower}, advice.path(key) + " has no effect: at that score mail is " + becomes + ", as " +
                                  advice.path(lower) + " is lower");
  };
  if (actions.quarantine > actions.reject) has_no_effect("quarantine", "refused", "reject");
  if (actions.tag > actions.reject) {
    has_no_effect("tag", "refused", "reject");
  } else if (actions.tag > actions.quarantine) {
    has_no_effect("tag", "set aside", "quarantine");
  }
}

}  // namespace

std::span<const Adviser> advisers() {
  static constexpr Adviser list[] = {
      {dnsbl_section, advise_with<DnsblSettings, find_dead_lists>},
      {milters_section, advise_with<MiltersSettings, find_dead_listeners>},
      {milters_section, advise_with<MiltersSettings, find_scarce_connections>},
      {rate_section, advise_with<RateSettings, find_dead_rates>},
      {actions_section, advise_with<ActionSettings, find_dead_actions>},
  };
  return list;
}

}  // namespace sallyport::policies
