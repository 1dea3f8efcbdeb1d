// The self test of DNS lists (RFC 5782, 5; threats.md D9): each is asked for a point that must be listed and for one
// that must not be, and its health learns what they mean.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/async/task.h"
#include "policies/api/gathering.h"
#include "policies/lists/dns_list.h"

namespace sallyport::policies {

struct TestPoint {
  std::string labels;  // of the question, up to the zone, with the final dot: "2.0.0.127."
  std::string shown;   // "127.0.0.2"
};

struct TestPoints {
  TestPoint listed;
  TestPoint unlisted;
};

// The points of one kind of list. Those of IPv6 decide only about IPv6 clients; a list of names has none.
struct ListTest {
  TestPoints points;
  std::optional<TestPoints> ipv6;
};

// Tests all lists at the same time, but for those whose self_test is off or that were tested just now. A list that is
// left out, or comes back, is logged and counted once. `lists` must outlive the task.
Task<void> test_lists(const std::vector<DnsList>& lists, ListTest test, GatherContext context);

}  // namespace sallyport::policies
