#include "gateway/resolver/budget.h"

#include <utility>

namespace sallyport::resolver {

void QuestionBudget::next_message() {
  message_left = settings.per_message;
  is_exceeded = false;
}

Task<dns::Answer> BudgetedResolver::lookup(dns::Question question, Time deadline) {
  if (deadline == Time::min()) co_return co_await inner_.lookup(std::move(question), deadline);  // asks nobody
  if (budget_.message_left == 0 || budget_.session_left == 0) {
    dns::Answer known = co_await inner_.lookup(std::move(question), Time::min());
    if (known.from_cache) co_return known;
    if (!std::exchange(budget_.is_exceeded, true)) exceeded_();
    dns::Answer refusal;
    refusal.status = dns::Status::budget;
    co_return refusal;
  }
  // Subtracted before asking: a hundred questions asked at the same moment must not all see the last one as unspent.
  --budget_.message_left;
  --budget_.session_left;
  dns::Answer answer = co_await inner_.lookup(std::move(question), deadline);
  if (answer.from_cache) {
    ++budget_.message_left;
    ++budget_.session_left;
  }
  co_return answer;
}

}  // namespace sallyport::resolver
