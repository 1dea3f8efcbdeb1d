// Validates the ARC chain of a mail (RFC 8617, 5.2), and finds the sealer whose word on it may be taken.
//
// It holds nothing of any mail; a worker's loop may validate several mails with it at the same time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/cpu_time.h"
#include "gateway/signature/arc_chain.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/key_cache.h"
#include "policies/api/gathering.h"
#include "policies/arc/facts.h"
#include "policies/arc/settings.h"

namespace sallyport::policies {

class ArcValidator {
 public:
  // Keys that are worth keeping for one worker.
  static constexpr std::size_t cached_keys = 256;
  // Names whose keys are asked for: chains in use have a handful, and the questions of a mail are counted (threats.md
  // D6).
  static constexpr std::size_t max_key_names = 20;

  // `keys` outlives it. `cpu_clock` measures what the chain may cost of processor time (D20).
  ArcValidator(const ArcSettings& settings, signature::KeyCache& keys, CpuClock cpu_clock = thread_cpu_time);

  // The digests of the body that the chain's message signatures need; none when there is no chain that could be valid.
  static std::vector<signature::BodyForm> body_forms(const signature::ArcChain& chain);

  // What is found out about the mail. `chain` was read from its header, and context.body_hashes has the digests that
  // body_forms() asked for. Whatever goes wrong, a failed look-up too, the chain fails (RFC 8617, 5.2). `mail` and
  // `context` outlive the task.
  Task<ArcFacts> validate(const Transaction& mail, signature::ArcChain chain, const GatherContext& context) const;

 private:
  class Chain;

  std::vector<std::string> trusted_sealers_;
  signature::KeyCache& keys_;
  CpuClock cpu_clock_;
};

}  // namespace sallyport::policies
