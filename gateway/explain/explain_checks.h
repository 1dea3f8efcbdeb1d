// What each check says, as a word and a sentence: explain_text prints these rows, and explain_json adds them to the
// facts. The wording comes from each policy (PolicyEntry::explain).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/dns/answer.h"
#include "gateway/explain/explanation.h"

namespace sallyport::explain {

struct CheckRow {
  std::string_view check;
  policies::Mode mode = policies::Mode::enforce;
  policies::Explained words;
  double score = 0;                            // what it adds to the sum; in shadow mode, what it would add
  bool decided = false;                        // the outcome comes from this check
  std::string facts;                           // as JSON
  std::vector<const dns::Evidence*> evidence;  // every DNS question in order; points into the explanation's facts
};

// Makes one row for each check that is on, in the order in which their judges run. The rows point into `explanation`,
// which must outlive them.
std::vector<CheckRow> rows_of(const Explanation& explanation);

}  // namespace sallyport::explain
