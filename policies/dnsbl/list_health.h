// Whether a list can be relied on just now: a breaker for lists that do not answer (threats.md D10), and what its test
// points showed (D9). It belongs to the list, not to any mail; one per worker.
#pragma once

#include "gateway/base/units.h"

namespace sallyport::policies {

class ListHealth {
 public:
  static constexpr unsigned failures_to_open = 10;
  static constexpr Duration pause = std::chrono::seconds(60);

  // Whether the list may be asked at `now`. An open breaker lets one question in a pause through, to see whether the
  // list is back.
  bool may_ask(Time now);
  void answered() { failures_in_a_row_ = 0; }
  // True when this failure has opened the breaker, so that it is told once.
  bool failed(Time now);

  // The test points (RFC 5782, 5): a list that fails them is not asked until it passes.
  void tested(bool passes) { passes_test_ = passes; }
  bool passes_test() const { return passes_test_; }
  void tested_ipv6(bool has_ipv6) { has_ipv6_ = has_ipv6; }
  bool has_ipv6() const { return has_ipv6_; }

 private:
  unsigned failures_in_a_row_ = 0;
  Time next_probe_{};
  bool passes_test_ = true;
  bool has_ipv6_ = true;
};

}  // namespace sallyport::policies
