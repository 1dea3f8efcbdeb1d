// Validates the ARC chain of a mail (RFC 8617, 5.2), and finds whose word on it may be taken.
//
// One per worker: it keeps the keys it has read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/cpu_time.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/key_cache.h"
#include "policies/api/auth_facts.h"
#include "policies/api/policy.h"
#include "policies/arc/settings.h"

namespace sallyport::policies {

class ArcValidator {
 public:
  static constexpr std::size_t cached_keys = 256;
  // Names whose keys are asked for: chains in use have a handful, and the questions of a mail are counted (threats.md
  // D6).
  static constexpr std::size_t max_key_names = 20;

  explicit ArcValidator(const ArcSettings& settings, CpuClock cpu_clock = thread_cpu_time);

  // The digests that the chain's message signatures need; none when there is no chain that could be valid.
  static std::vector<signature::BodyForm> body_forms(const mail::HeaderSection& header);

  // Fills `facts`, which holds the body's digests already. Whatever goes wrong, a failed look-up too, the chain fails
  // (RFC 8617, 5.2).
  Task<void> validate(const Transaction& mail, ArcFacts& facts, const Surroundings& around);

 private:
  class Chain;

  ArcSettings settings_;
  CpuClock cpu_clock_;
  signature::KeyCache keys_;
};

}  // namespace sallyport::policies
