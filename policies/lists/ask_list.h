// Asks one list one question, and lets its health learn from the answer.
//
// What the cache has is used as it is, also while the breaker is open: it costs no question, tells nothing new of the
// list, and takes no turn, so that a probe is left for somebody who does ask. A question that several sessions or
// workers wait for is learned once, by one of them, as soon as its answer is there. What was not asked, because a limit
// of ours stood in the way, is no failure of the list.
#pragma once

#include <optional>
#include <string>

#include "gateway/async/task.h"
#include "gateway/dns/answer.h"
#include "policies/api/gathering.h"
#include "policies/lists/dns_list.h"
#include "policies/lists/list_answer.h"

namespace sallyport::policies {

// What is asked about.
struct ListSubject {
  ListPart part = ListPart::ipv4;
  std::string shown;  // for the log: the client's address, or the name
};

struct ListFinding {
  ListAnswer said;                     // a hit or no hit, when there is no failure
  std::optional<ListFailure> failure;  // why there is no usable answer
  std::optional<dns::Answer> answer;   // nothing: the list was not asked, and the cache has nothing
};

// `list` and `context` must outlive the task.
Task<ListFinding> ask_list(const DnsList& list, ListSubject subject, dns::Question question,
                           const GatherContext& context);

// The finding that an answer is, read with this list's codes.
ListFinding finding_of(const DnsList& list, dns::Answer answer);

}  // namespace sallyport::policies
