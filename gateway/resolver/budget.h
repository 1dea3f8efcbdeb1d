// How many DNS questions one message and one session may cost (threats.md D6).
//
// Names in a message are its author's choice: without a bound, a message with ten thousand of them makes us ask for ten
// thousand. What the cache knows is free.
#pragma once

#include <cstdint>
#include <functional>

#include "gateway/io/resolver.h"

namespace sallyport::resolver {

struct BudgetSettings {
  std::uint64_t per_message = 100;  // limits.dns_per_message
  std::uint64_t per_session = 200;  // limits.dns_per_session
};

// What a session may still ask; it has one, and tells it what happens to its messages.
struct QuestionBudget {
  explicit QuestionBudget(BudgetSettings limits = {})
      : settings(limits), message_left(limits.per_message), session_left(limits.per_session) {}

  // A transaction is over, however it ended: the next has its own questions.
  void next_message();
  // A message was relayed: connections of big senders live long, and earn their questions.
  void message_relayed() { session_left += settings.per_message; }

  BudgetSettings settings;
  std::uint64_t message_left;
  std::uint64_t session_left;
  bool is_exceeded = false;  // something was not asked since the message began
};

// Passes questions on as long as there is budget, then answers Status::budget, except for what the cache knows.
class BudgetedResolver final : public io::Resolver {
 public:
  // `inner` must be one that answers from its cache alone when the deadline has passed, as Resolver does. Both outlive
  // it. `exceeded` is called at the first question of a message that there is no budget for.
  BudgetedResolver(io::Resolver& inner, QuestionBudget& budget, std::function<void()> exceeded)
      : inner_(inner), budget_(budget), exceeded_(std::move(exceeded)) {}

  Task<dns::Answer> lookup(dns::Question question, Time deadline) override;

 private:
  io::Resolver& inner_;
  QuestionBudget& budget_;
  std::function<void()> exceeded_;
};

}  // namespace sallyport::resolver
