#include "gateway/resolver/under_way.h"

#include <algorithm>

#include "gateway/base/ensure.h"
#include "gateway/base/id.h"

namespace sallyport::resolver {

UnderWay::UnderWay() : asked_(0, KeyedHash(random_seed(), random_seed())) {}

UnderWay::Part UnderWay::take_part(const dns::Question& question, Tell tell) {
  dns::Question own(question);  // the part needs no memory once the table has it
  std::lock_guard lock(mutex_);
  const auto [place, is_new] = asked_.try_emplace(question);
  if (is_new) return Part(*this, std::move(own), Part::asks);
  place->second.push_back({++last_id_, std::move(tell)});
  return Part(*this, std::move(own), last_id_);
}

UnderWay::Part::~Part() {
  if (table_ == nullptr) return;
  if (is_to_ask()) {
    settle(nullptr);
    return;
  }
  std::lock_guard lock(table_->mutex_);
  const auto place = table_->asked_.find(question_);
  if (place == table_->asked_.end()) return;
  std::erase_if(place->second, [this](const Waiter& waiter) { return waiter.id == id_; });
}

void UnderWay::Part::settle(const Answer& answer) noexcept {
  ensure(is_to_ask() && table_ != nullptr, "UnderWay: settled by one who does not ask, or twice");
  UnderWay& table = *std::exchange(table_, nullptr);
  std::lock_guard lock(table.mutex_);
  const auto place = table.asked_.find(question_);
  for (const Waiter& waiter : place->second) {
    try {
      waiter.tell(answer);
    } catch (...) {
      // No memory to post with. That one's wait has a deadline.
    }
  }
  table.asked_.erase(place);
}

}  // namespace sallyport::resolver
