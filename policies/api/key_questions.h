// What the policies over signatures (DKIM, ARC) share: the key look-ups of one mail, and their findings as facts.
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
#include "policies/api/auth_facts.h"
#include "policies/api/policy.h"

namespace sallyport::policies {

// Processor time that DKIM may take of one mail, and ARC again: 200 ms the two (threats.md D20).
inline constexpr Duration max_cpu_time = std::chrono::milliseconds(100);

// The questions for keys of one mail, all asked at once, each name once, at most `most` of them.
class KeyQuestions {
 public:
  explicit KeyQuestions(std::size_t most) : most_(most) {}

  // Its place, to find the answer by; nothing when there are enough already.
  std::optional<std::size_t> add(std::string name);
  // To be called once, before any answer is looked at.
  Task<void> ask(const Surroundings& around);
  const dns::Answer& answer(std::size_t place) const { return evidence_[place].answer; }
  // All questions with their answers; nothing is left here.
  std::vector<dns::Evidence> take_evidence() { return std::move(evidence_); }

 private:
  std::size_t most_;
  std::vector<dns::Question> questions_;
  std::vector<dns::Evidence> evidence_;
};

// The keys that an answer has for a signature. Without any, why: a fact (permerror), or that it could not be found out.
struct FoundKeys {
  std::vector<std::shared_ptr<const signature::KeyRecord>> keys;
  signature::Finding finding;
};
FoundKeys find_keys(const signature::Signature& signature, const dns::Answer& answer, signature::KeyCache& cache);

AuthResult auth_result(signature::Outcome outcome);

}  // namespace sallyport::policies
