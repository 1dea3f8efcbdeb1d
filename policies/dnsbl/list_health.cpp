#include "policies/dnsbl/list_health.h"

namespace sallyport::policies {

bool ListHealth::may_ask(Time now) {
  if (!passes_test_) return false;
  if (failures_in_a_row_ < failures_to_open) return true;
  if (now < next_probe_) return false;
  // Set before the answer is known: should the one who asks be gone by then, the next pause has its probe all the same.
  next_probe_ = now + pause;
  return true;
}

bool ListHealth::failed(Time now) {
  // Counted no further than it matters; questions that were under way when the breaker opened do not move its probe.
  if (failures_in_a_row_ == failures_to_open) return false;
  if (++failures_in_a_row_ < failures_to_open) return false;
  next_probe_ = now + pause;
  return true;
}

}  // namespace sallyport::policies
