// QuestionBudget: limits the DNS questions that one message and one session may cause (threats.md D6).
//
// The author of a message chooses the names in it: without a limit, a message with ten thousand names makes us send ten
// thousand questions. Answers from the cache cost nothing.
#pragma once

#include <cstdint>
#include <functional>

#include "gateway/io/resolver.h"

namespace sallyport::resolver {

struct BudgetSettings {
  std::uint64_t per_message = 100;  // limits.dns_per_message
  std::uint64_t per_session = 200;  // limits.dns_per_session
};

// What a session may still ask. Each session owns one and reports the end of each transaction to it.
struct QuestionBudget {
  explicit QuestionBudget(BudgetSettings limits = {})
      : settings(limits), message_left(limits.per_message), session_left(limits.per_session) {}

  // The session calls it at the end of each transaction; the next one gets the full per-message budget.
  void next_message();
  // The session calls it when a message was relayed, which adds one message's budget to the session's: large senders
  // send many messages per connection.
  void message_relayed() { session_left += settings.per_message; }

  BudgetSettings settings;
  std::uint64_t message_left;
  std::uint64_t session_left;
  bool is_exceeded = false;  // a question of the current message was refused
};

// Passes questions on while there is budget. After that it answers from the cache or with Status::budget. A look-up
// with the deadline Time::min(), which asks nobody, costs nothing.
class BudgetedResolver final : public io::Resolver {
 public:
  // When the deadline has passed, `inner` must answer from its cache only, as Resolver does. `inner` and `budget` must
  // outlive this object. `exceeded` is called once per message, at the first question that is refused.
  BudgetedResolver(io::Resolver& inner, QuestionBudget& budget, std::function<void()> exceeded)
      : inner_(inner), budget_(budget), exceeded_(std::move(exceeded)) {}

  Task<dns::Answer> lookup(dns::Question question, Time deadline) override;

 private:
  io::Resolver& inner_;
  QuestionBudget& budget_;
  std::function<void()> exceeded_;
};

}  // namespace sallyport::resolver
