// Verifies the DKIM signatures of a mail: the body's digests as it streams past, the keys from the DNS, the signatures.
//
// One per worker: it keeps the keys it has read.
#pragma once

#include <string>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/cpu_time.h"
#include "gateway/base/public_suffix.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/header_input.h"
#include "gateway/signature/key_cache.h"
#include "policies/api/auth_facts.h"
#include "policies/api/policy.h"
#include "policies/dkim/settings.h"

namespace sallyport::policies {

class DkimVerifier {
 public:
  // Processor time that one mail may take (threats.md D20).
  static constexpr Duration max_cpu_time = std::chrono::milliseconds(200);
  static constexpr std::size_t cached_keys = 1024;

  // `suffixes` outlives it.
  DkimVerifier(const DkimSettings& settings, const PublicSuffixList& suffixes, CpuClock cpu_clock = thread_cpu_time);

  // The digests that the mail's signatures need; none when it has no signature that could be verified.
  std::vector<signature::BodyForm> body_forms(const mail::HeaderSection& header) const;

  // Fills `facts`, which holds the body's digests already. What could not be found out is a temperror.
  Task<void> verify(const Transaction& mail, DkimFacts& facts, const Surroundings& around);

 private:
  struct Candidate;
  std::vector<Candidate> read_candidates(const std::vector<const mail::HeaderField*>& fields, WallTime now,
                                         const DkimFacts& facts) const;
  void verify_candidate(Candidate& candidate, const dns::Answer& answer, const signature::FieldIndex& fields,
                        const std::vector<signature::BodyHash>& body, DkimFacts::Signature& fact);

  DkimSettings settings_;
  const PublicSuffixList& suffixes_;
  CpuClock cpu_clock_;
  signature::KeyCache keys_;
  std::string input_;  // of the header hash: kept for its memory, it holds nothing between two calls
};

}  // namespace sallyport::policies
