// Witness: is told of each mail when it is over, and of each connection that was refused before it had one, with all
// that was found out about it. A dry run shows it; a gateway at work has the log instead.
#pragma once

#include <string_view>
#include <vector>

#include "policies/api/facts.h"
#include "policies/api/transaction.h"
#include "policies/api/verdict.h"

namespace sallyport::session {

// Valid during the call only.
struct Testimony {
  const policies::Transaction& mail;
  const policies::Facts& facts;
  // Those that count or were recorded in shadow. What refused a single recipient is not among them.
  const std::vector<policies::Verdict>& verdicts;
  double score = 0;
  // The last word: what the log's line says, and why in words.
  std::string_view verdict;
  std::string_view stage;
  std::string_view check;
  std::string_view rule;
  std::string_view because;
};

class Witness {
 public:
  virtual ~Witness() = default;
  virtual void hear(const Testimony& testimony) = 0;
};

}  // namespace sallyport::session
