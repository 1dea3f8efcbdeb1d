#include "policies/rate/dead_rates.h"

#include "gateway/base/network_cover.h"

namespace sallyport::policies {

void find_dead_rates(const RateSettings& rates, Advice& advice) {
  if (rates.mode == Mode::off) return;  // said already, of the whole check
  for (const Family family : {Family::v4, Family::v6}) {
    if (cover_all(rates.skip, family))
      advice.warn({"skip"}, std::string("no client with an IPv") + (family == Family::v4 ? "4" : "6") +
                                " address is limited: `skip` has them all");
  }
}

}  // namespace sallyport::policies
