#include <string>

#include "policies/arc/arc.h"

namespace sallyport::policies {

namespace {

std::string describe(const ArcFacts& facts) {
  if (facts.result == AuthResult::none) return "no chain";
  if (facts.result != AuthResult::pass) return facts.reason;
  std::string words = std::to_string(facts.sets.size()) + " sets, the last by " + facts.sets.back().seal_domain;
  for (const unsigned instance : facts.trusted) {
    const ArcFacts::Set* set = facts.find(instance);
    if (set != nullptr) words += "; trusted: " + set->seal_domain + " saw dmarc=" + std::string(word(set->dmarc));
  }
  return words;
}

}  // namespace

Explained explain_arc(const Transaction&, const Facts& facts, const ArcSettings&) {
  Explained row;
  const ArcFacts* found = facts.find<ArcFacts>();
  row.result = found != nullptr ? word(found->result) : "not run";
  if (found == nullptr) return row;
  row.fact = describe(*found);
  for (const ArcFacts::Set& set : found->sets) {
    row.details.push_back("i=" + std::to_string(set.instance) + " cv=" + std::string(word(set.cv)) + " " +
                          set.seal_domain + ": " + set.results);
  }
  return row;
}

}  // namespace sallyport::policies
