#include <string>

#include "policies/dmarc/dmarc.h"

namespace sallyport::policies {

namespace {

std::string alignment_words(const DmarcFacts& facts) {
  if (!facts.spf_aligned && !facts.dkim_aligned) return "neither SPF nor DKIM passes in line with it";
  std::string words = facts.dkim_aligned ? "DKIM" : "SPF";
  if (facts.spf_aligned && facts.dkim_aligned) words = "SPF and DKIM";
  return words + " in line with it by " + facts.aligned_domain;
}

std::string describe(const DmarcFacts& facts) {
  if (!facts.problem.empty()) return facts.from_domain + (facts.from_domain.empty() ? "" : ": ") + facts.problem;
  if (facts.published == DmarcTag::none) return facts.from_domain + " publishes no policy";
  std::string words = facts.from_domain + " (";
  words.append(word(facts.published)).append("=").append(word(facts.policy)).append("): ");
  return words + alignment_words(facts);
}

}  // namespace

Explained explain_dmarc(const Transaction&, const Facts& facts, const DmarcSettings&) {
  Explained row;
  const DmarcFacts* found = facts.find<DmarcFacts>();
  row.result = found != nullptr ? word(found->result) : "not run";
  if (found == nullptr) return row;
  row.fact = describe(*found);
  if (found->result == AuthResult::pass || found->published == DmarcTag::none) return row;
  row.details.push_back("policy of " + found->policy_domain + ": " + found->record);
  row.details.push_back(std::string("alignment: SPF ") + (found->strict_spf ? "strict" : "relaxed") + ", DKIM " +
                        (found->strict_dkim ? "strict" : "relaxed"));
  if (found->override_reason != DmarcOverride::none) {
    row.details.push_back("done instead because of " + std::string(word(found->override_reason)) + ": " +
                          found->override_comment);
  }
  return row;
}

}  // namespace sallyport::policies
