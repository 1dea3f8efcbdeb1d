#include "policies/api/ask.h"

#include <utility>

#include "gateway/async/when.h"

namespace sallyport::policies {

Task<std::vector<dns::Evidence>> ask_all(std::vector<dns::Question> questions, const GatherContext& context) {
  std::vector<dns::Evidence> evidence;
  evidence.reserve(questions.size());
  if (questions.size() == 1) {
    dns::Answer answer = co_await context.resolver.lookup(questions.front(), context.deadline);
    evidence.push_back({std::move(questions.front()), std::move(answer)});
    co_return evidence;
  }
  std::vector<Task<dns::Answer>> lookups;
  lookups.reserve(questions.size());
  for (const dns::Question& question : questions) lookups.push_back(context.resolver.lookup(question, context.deadline));
  auto answers = co_await async::when_all(context.scheduler, std::move(lookups));
  for (std::size_t i = 0; i < answers.size(); ++i) evidence.push_back({std::move(questions[i]), std::move(answers[i])});
  co_return evidence;
}

}  // namespace sallyport::policies
