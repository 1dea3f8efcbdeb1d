#include "policies/milters/dead_listeners.h"

#include <algorithm>

namespace sallyport::policies {

void find_dead_listeners(const MiltersSettings& settings, Advice& advice) {
  for (const MilterSettings& milter : settings.milters) {
    if (settings.mode_of(milter) == Mode::off) continue;
    for (const Endpoint& address : milter.address) {
      if (!advice.is_listened_on(address)) continue;
      advice.warn({"milters"}, "the milter " + settings::quote(milter.shown_name()) +
                                   " is this gateway's own listener " + address.to_string() +
                                   ": each question about a mail would come back to it, and no mail would be taken; "
                                   "name another filter");
    }
    const auto is_known = [&advice](const Endpoint& address) { return advice.is_listened_on(address); };
    const bool is_never_asked = std::none_of(milter.listeners.begin(), milter.listeners.end(), is_known);
    for (const Endpoint& address : milter.listeners) {
      if (is_known(address)) continue;
      advice.warn({"milters"}, "no [[listen]] block has the address " + address.to_string() +
                                   ", which is among the `listeners` of the milter " +
                                   settings::quote(milter.shown_name()) +
                                   (is_never_asked ? ": it is never asked" : ""));
    }
  }
}

}  // namespace sallyport::policies
