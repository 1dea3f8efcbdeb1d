// What each check says, in a word and a sentence: the rows that explain_text prints and explain_json carries beside the
// facts themselves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/app/explanation.h"

namespace sallyport::app {

struct CheckRow {
  std::string check;
  policies::Mode mode = policies::Mode::enforce;
  // pass, fail ... of sender authentication (RFC 8601); listed, clean, unknown; ok, not counted, quiet, not run ...
  std::string result;
  std::string fact;                       // the one that decided, in words; may be empty
  std::vector<std::string> details;       // further lines, for those who want to know why
  double score = 0;                       // what it adds to the sum; in shadow what it would add
  bool decided = false;                   // the verdict is this check's
  std::vector<dns::Evidence> evidence{};  // every question, in the order asked, with its answer
};

// One row for each check that is on, in the order of their judges.
std::vector<CheckRow> rows_of(const Explanation& explanation);

// "bare_ip": stable, for programs.
std::string_view name(policies::HeloFacts::Finding finding);

// "8" or "-2.5": scores are written with as many places as they need.
std::string score_text(double score);

}  // namespace sallyport::app
