#include "tests/support/table_resolver.h"

#include <algorithm>

#include "gateway/async/wait.h"

namespace sallyport::support {

Task<dns::Answer> TableResolver::lookup(dns::Question question, Time deadline) {
  dns::Answer late;
  late.status = dns::Status::timeout;
  bool has_passed = scheduler_ ? deadline <= scheduler_->now() : deadline == Time::min();
  if (has_passed && !from_cache_) co_return late;
  asked_.push_back(question);
  dns::Answer answer = zone_.answer(question);
  answer.from_cache = from_cache_;
  if (!scheduler_ || has_passed) co_return answer;
  Time ready = scheduler_->now() + delay_;
  bool is_late = ready > deadline || answer.status == dns::Status::timeout;
  co_await async::SleepUntil(*scheduler_, is_late ? deadline : ready);
  co_return is_late ? late : answer;
}

std::size_t TableResolver::count(const dns::Question& question) const {
  return static_cast<std::size_t>(std::count(asked_.begin(), asked_.end(), question));
}

}  // namespace sallyport::support
