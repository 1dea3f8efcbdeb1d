// What `explain` shows of one policy. The policy fills it in (PolicyEntry::explain) from facts and settings only, so
// that a recorded mail can be explained as well as a dry run.
#pragma once

#include <string>
#include <vector>

namespace sallyport::policies {

// Texts may contain octets of peers unfiltered; gateway/explain filters them before showing them.
struct Explained {
  std::string result;  // one or two words: "pass", "listed", "not asked"
  std::string fact;    // what was found, in one line; may be empty
  std::vector<std::string> details;  // more lines
};

}  // namespace sallyport::policies
