#include "policies/dnsbl/list_health.h"

namespace sallyport::policies {

bool ListHealth::may_ask(Time now) {
  if (!passes_test_) return false;
  if (failures_in_a_row_ < failures_to_open) return true;
  if (now < next_probe_) return false;
  // Set before the answer is known: if the asking mail ends before the answer, the next pause still has its probe.
  next_probe_ = now + pause;
  return true;
}

bool ListHealth::failed(Time now) {
  // Not counted beyond the limit: questions that were in progress when the breaker opened do not move the next probe.
  if (failures_in_a_row_ == failures_to_open) return false;
  if (++failures_in_a_row_ < failures_to_open) return false;
  next_probe_ = now + pause;
  return true;
}

bool ListHealth::begin_test(Time now) {
  if (now < next_test_) return false;
  next_test_ = now + between_tests;
  return true;
}

}  // namespace sallyport::policies
