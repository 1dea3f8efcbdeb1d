// Asks DNS questions for a policy and keeps the answers as evidence.
#pragma once

#include <vector>

#include "gateway/async/task.h"
#include "gateway/dns/answer.h"
#include "policies/api/gathering.h"

namespace sallyport::policies {

// Asks all questions at the same time, and gives each with its answer, in the same order. A question that could not be
// answered has an answer whose status says so. It does not retry; the resolver does.
Task<std::vector<dns::Evidence>> ask_all(std::vector<dns::Question> questions, const GatherContext& context);

}  // namespace sallyport::policies
