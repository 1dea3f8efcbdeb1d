// ListHealth: whether a list can be relied on at the moment: a breaker for lists that do not answer (threats.md D10),
// and the results of the test points (D9). It belongs to the list, not to a mail or configuration; each worker has its
// own, used on its thread.
#pragma once

#include "gateway/base/units.h"

namespace sallyport::policies {

class ListHealth {
 public:
  static constexpr unsigned failures_to_open = 10;
  static constexpr Duration pause = std::chrono::seconds(60);
  static constexpr Duration between_tests = std::chrono::minutes(1);

  // True if the list may be asked at `now`. While the breaker is open, one question in each pause is let through, to
  // see whether the list answers again.
  bool may_ask(Time now);
  void answered() { failures_in_a_row_ = 0; }
  // Counts a failure; true when it has opened the breaker, so that the caller logs it once.
  bool failed(Time now);

  // The test points (RFC 5782, 5): a list that fails them is not asked until it passes. Several configurations of one
  // worker may contain the list, so begin_test() allows one test a minute; it is true when the caller may test now.
  bool begin_test(Time now);
  void tested(bool passes) { passes_test_ = passes; }
  bool passes_test() const { return passes_test_; }
  void tested_ipv6(bool has_ipv6) { has_ipv6_ = has_ipv6; }
  bool has_ipv6() const { return has_ipv6_; }

 private:
  unsigned failures_in_a_row_ = 0;
  Time next_probe_{};
  Time next_test_{};
  bool passes_test_ = true;
  bool has_ipv6_ = true;
};

}  // namespace sallyport::policies
