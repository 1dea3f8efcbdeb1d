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
#include "gateway/signature/signature_field.h"
#include "policies/api/auth_facts.h"
#include "policies/api/policy.h"
#include "policies/dkim/settings.h"

namespace sallyport::policies {

class DkimVerifier {
 public:
  static constexpr std::size_t cached_keys = 1024;

  // `suffixes` outlives it.
  DkimVerifier(const DkimSettings& settings, const PublicSuffixList& suffixes, CpuClock cpu_clock = thread_cpu_time);

  // The signatures that are looked at, top to bottom. They look into the header.
  std::vector<signature::Signature> read_signatures(const mail::HeaderSection& header) const;
  // The digests that they need; none when there is no signature that could be verified.
  static std::vector<signature::BodyForm> body_forms(const std::vector<signature::Signature>& signatures);

  // Fills `facts`, which holds the signatures that were read and the body's digests already, if there was something to
  // hash. What could not be found out is a temperror.
  Task<void> verify(const Transaction& mail, DkimFacts& facts, const Surroundings& around);

 private:
  struct Candidate;
  std::vector<Candidate> judge_before_keys(const std::vector<const mail::HeaderField*>& fields, WallTime now,
                                           std::vector<signature::Signature> signatures,
                                           const std::vector<signature::BodyHash>& body) const;
  void verify_candidate(Candidate& candidate, const dns::Answer& answer, const signature::FieldIndex& fields,
                        const std::vector<signature::BodyHash>& body, DkimFacts::Signature& fact);

  DkimSettings settings_;
  const PublicSuffixList& suffixes_;
  CpuClock cpu_clock_;
  signature::KeyCache keys_;
  std::string input_;  // of the header hash: kept for its memory, it holds nothing between two calls
};

}  // namespace sallyport::policies
