#include "gateway/resolver/shared_queries.h"

#include <algorithm>

#include "gateway/base/ensure.h"
#include "gateway/base/id.h"

namespace sallyport::resolver {

SharedQueries::SharedQueries() : asked_(0, KeyedHash(random_seed(), random_seed())) {}

SharedQueries::Part SharedQueries::take_part(const dns::Question& question, Tell tell) {
  dns::Question own(question);  // copied first, because nothing may throw once the table has the question
  std::lock_guard lock(mutex_);
  const auto [place, is_new] = asked_.try_emplace(question);
  if (is_new) return Part(*this, std::move(own), Part::asks);
  place->second.push_back({++last_id_, std::move(tell)});
  return Part(*this, std::move(own), last_id_);
}

SharedQueries::Part::~Part() {
  if (table_ == nullptr) return;
  if (is_to_ask()) {
    settle(nullptr, nullptr);
    return;
  }
  std::lock_guard lock(table_->mutex_);
  const auto place = table_->asked_.find(question_);
  if (place == table_->asked_.end()) return;
  std::erase_if(place->second, [this](const Waiter& waiter) { return waiter.id == id_; });
}

void SharedQueries::Part::settle(const Answer& answer, const News& news) noexcept {
  ensure(is_to_ask() && table_ != nullptr, "SharedQueries: settled by one who does not ask, or twice");
  SharedQueries& table = *std::exchange(table_, nullptr);
  std::lock_guard lock(table.mutex_);
  const auto place = table.asked_.find(question_);
  for (const Waiter& waiter : place->second) {
    try {
      waiter.tell(answer, news);
    } catch (...) {
      // Out of memory in post(). That resolver's wait ends at its deadline.
    }
  }
  table.asked_.erase(place);
}

}  // namespace sallyport::resolver
