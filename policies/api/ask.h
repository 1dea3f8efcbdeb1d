// DNS questions of a policy, with their answers as evidence.
#pragma once

#include <vector>

#include "gateway/async/task.h"
#include "gateway/dns/answer.h"
#include "policies/api/policy.h"

namespace sallyport::policies {

// Asks all at once, and gives each with its answer, in their order. Questions that cannot be answered have an answer
// that says so; nothing is asked twice on the way (the resolver sees to retries).
Task<std::vector<dns::Evidence>> ask_all(std::vector<dns::Question> questions, const Surroundings& around);

}  // namespace sallyport::policies
