// Verifies the DKIM signatures of a mail, from digests of its body that were computed while it streamed past: asks the
// DNS for the keys, then checks the signatures.
//
// It holds nothing of any mail; a worker's loop may verify several mails with it at the same time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/cpu_time.h"
#include "gateway/base/public_suffix.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/header_input.h"
#include "gateway/signature/key_cache.h"
#include "gateway/signature/signature_field.h"
#include "policies/api/gathering.h"
#include "policies/dkim/facts.h"
#include "policies/dkim/settings.h"

namespace sallyport::policies {

class DkimVerifier {
 public:
  // Keys that are worth keeping for one worker.
  static constexpr std::size_t cached_keys = 1024;

  // `suffixes` and `keys` outlive it. `cpu_clock` measures what the signatures may cost of processor time (D20).
  DkimVerifier(const DkimSettings& settings, const PublicSuffixList& suffixes, signature::KeyCache& keys,
               CpuClock cpu_clock = thread_cpu_time);

  // The signatures that are looked at, top to bottom: the first `signatures` of the settings. They hold views into the
  // header.
  std::vector<signature::Signature> read_signatures(const mail::HeaderSection& header) const;
  // The digests of the body that these signatures need; none when no signature could be verified.
  static std::vector<signature::BodyForm> body_forms(const std::vector<signature::Signature>& signatures);

  // What is found out about the mail. `signatures` are those that read_signatures() gave for its header, and
  // context.body_hashes has the digests that body_forms() asked for. What could not be found out is a temperror. `mail`
  // and `context` outlive the task.
  Task<DkimFacts> verify(const Transaction& mail, std::vector<signature::Signature> signatures,
                         const GatherContext& context) const;

 private:
  struct Candidate;
  std::vector<Candidate> judge_before_keys(const Transaction& mail, const std::vector<const mail::HeaderField*>& fields,
                                           std::vector<signature::Signature> signatures,
                                           const std::vector<signature::BodyHash>& body) const;
  // `input` receives the octets of the header that were hashed.
  void verify_candidate(Candidate& candidate, const dns::Answer& answer, const signature::FieldIndex& fields,
                        const std::vector<signature::BodyHash>& body, std::string& input,
                        DkimFacts::Signature& fact) const;
  static void note_many(const Transaction& mail, const GatherContext& context);

  std::size_t max_signatures_;
  const PublicSuffixList& suffixes_;
  signature::KeyCache& keys_;
  CpuClock cpu_clock_;
};

}  // namespace sallyport::policies
