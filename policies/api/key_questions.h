// What the signature policies (DKIM, ARC) share: the key look-ups of one mail, and the keys found as facts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/units.h"
#include "gateway/dns/answer.h"
#include "gateway/signature/key_cache.h"
#include "gateway/signature/verify.h"
#include "policies/api/auth_result.h"
#include "policies/api/gathering.h"

namespace sallyport::policies {

// The key look-ups of one mail: all asked at the same time, each name once, at most `most` names.
class KeyQuestions {
 public:
  explicit KeyQuestions(std::size_t most) : most_(most) {}

  // Adds a name and gives its index for answer(); nothing when `most` names have been added.
  std::optional<std::size_t> add(std::string name);
  // Asks all questions; to be called once, before answer().
  Task<void> ask(const GatherContext& context);
  const dns::Answer& answer(std::size_t place) const { return evidence_[place].answer; }
  // Gives away all questions with their answers; answer() must not be called afterwards.
  std::vector<dns::Evidence> take_evidence() { return std::move(evidence_); }

 private:
  std::size_t most_;
  std::vector<dns::Question> questions_;
  std::vector<dns::Evidence> evidence_;
};

// The keys in a DNS answer for a signature. When there is none, `finding` says why: the record has none (permerror), or
// it could not be looked up.
struct FoundKeys {
  std::vector<std::shared_ptr<const signature::KeyRecord>> keys;
  signature::Finding finding;
};
FoundKeys find_keys(const signature::Signature& signature, const dns::Answer& answer, signature::KeyCache& cache);

AuthResult auth_result(signature::Outcome outcome);

}  // namespace sallyport::policies
