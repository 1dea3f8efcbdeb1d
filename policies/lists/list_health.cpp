#include "policies/lists/list_health.h"

#include <algorithm>

#include "gateway/base/ensure.h"

namespace sallyport::policies {

ListHealth::Turn::~Turn() {
  if (health_ != nullptr) health_->abandon(*this);
}

ListHealth::Change ListHealth::Turn::answered(Time now) {
  ensure(health_ != nullptr, "ListHealth: a turn is settled twice");
  return std::exchange(health_, nullptr)->settle(*this, now, nullptr);
}

ListHealth::Change ListHealth::Turn::failed(Time now, std::string reason, Duration leave_alone) {
  ensure(health_ != nullptr, "ListHealth: a turn is settled twice");
  Failure failure{std::move(reason), leave_alone};
  return std::exchange(health_, nullptr)->settle(*this, now, &failure);
}

std::optional<ListHealth::Turn> ListHealth::may_ask(ListPart part, Time now) {
  std::lock_guard lock(mutex_);
  if (!known_.passes_test.value_or(true)) return std::nullopt;
  Breaker& of_part = breaker(part);
  if (!of_part.is_open) return Turn(*this, part, std::nullopt, now);
  if (now < of_part.next_probe) return std::nullopt;
  of_part.next_probe = now + pause;
  return Turn(*this, part, of_part.next_probe, now);
}

// A turn that was given out before the breaker opened may end after it: its answer closes the breaker as well, its
// failure does not move the next probe.
ListHealth::Change ListHealth::settle(const Turn& turn, Time now, Failure* failure) noexcept {
  times_.add(now - turn.began_);
  std::lock_guard lock(mutex_);
  Breaker& of_part = breaker(turn.part_);
  ++known_.questions;
  if (failure == nullptr) {
    of_part.failures_in_a_row = 0;
    if (!of_part.is_open) return Change::none;
    of_part.is_open = false;
    of_part.since = now;
    return Change::closed;
  }
  ++known_.faults;
  of_part.last_failure = std::move(failure->reason);
  of_part.failed_at = now;
  if (of_part.is_open) {
    // The pause of a list that is silent is over when the next probe is due, however late this one ends.
    if (turn.next_probe_ && failure->pause > pause)
      of_part.next_probe = std::max(of_part.next_probe, now + failure->pause);
    return Change::none;
  }
  if (++of_part.failures_in_a_row < failures_to_open) return Change::none;
  of_part.is_open = true;
  of_part.since = now;
  of_part.next_probe = now + failure->pause;
  return Change::opened;
}

void ListHealth::abandon(const Turn& turn) noexcept {
  if (!turn.next_probe_) return;
  std::lock_guard lock(mutex_);
  Breaker& of_part = breaker(turn.part_);
  if (of_part.next_probe == *turn.next_probe_) of_part.next_probe = Time::min();
}

void ListHealth::count_hit() {
  std::lock_guard lock(mutex_);
  ++known_.hits;
}

bool ListHealth::begin_test(Time now) {
  std::lock_guard lock(mutex_);
  if (now < next_test_) return false;
  next_test_ = now + between_tests;
  return true;
}

bool ListHealth::was_listed() const {
  std::lock_guard lock(mutex_);
  return was_listed_;
}

bool ListHealth::was_listed_ipv6() const {
  std::lock_guard lock(mutex_);
  return was_listed_ipv6_;
}

bool ListHealth::tested(Time now, Tested found) {
  std::lock_guard lock(mutex_);
  was_listed_ = was_listed_ || found.is_listed;
  was_listed_ipv6_ = was_listed_ipv6_ || found.is_listed_ipv6;
  bool is_news = false;
  if (found.passes) {
    const bool passed_before = known_.passes_test.value_or(true);
    is_news = *found.passes != passed_before || (!*found.passes && found.reason != known_.test_reason);
    if (known_.passes_test != found.passes) known_.tested_since = now;
    known_.passes_test = found.passes;
    known_.test_reason = std::move(found.reason);
    is_deceived_ = !*found.passes && !found.is_refusal;
  }
  if (found.serves_ipv6) {
    is_news = is_news || *found.serves_ipv6 != known_.serves_ipv6;
    known_.serves_ipv6 = *found.serves_ipv6;
    known_.ipv6_reason = std::move(found.ipv6_reason);
  }
  if (is_deceived_) next_test_ = now + between_retests;
  return is_news;
}

std::optional<Time> ListHealth::retest_at() const {
  std::lock_guard lock(mutex_);
  return is_deceived_ ? std::optional(next_test_) : std::nullopt;
}

bool ListHealth::passes_test() const {
  std::lock_guard lock(mutex_);
  return known_.passes_test.value_or(true);
}

bool ListHealth::serves_ipv6() const {
  std::lock_guard lock(mutex_);
  return known_.serves_ipv6;
}

ListHealth::Report ListHealth::report() const {
  std::lock_guard lock(mutex_);
  Report report = known_;
  std::copy(breakers_.begin(), breakers_.end(), report.parts.begin());
  return report;
}

}  // namespace sallyport::policies
