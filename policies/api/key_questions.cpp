#include "policies/api/key_questions.h"

#include <algorithm>
#include <utility>

#include "gateway/async/when.h"

namespace sallyport::policies {

namespace {

// More than one record at a name is undefined (RFC 6376, 3.6.2.2): others' texts may stand beside the key, but not
// many.
constexpr std::size_t max_records = 10;

std::string_view words_of(dns::Status status) {
  switch (status) {
    case dns::Status::timeout:
      return "key look-up timed out";
    case dns::Status::budget:
      return "key not looked up: too many DNS questions";
    default:
      return "key look-up failed";
  }
}

}  // namespace

std::optional<std::size_t> KeyQuestions::add(std::string name) {
  const auto known = std::find_if(evidence_.begin(), evidence_.end(),
                                  [&name](const dns::Evidence& evidence) { return evidence.question.name == name; });
  if (known != evidence_.end()) return static_cast<std::size_t>(known - evidence_.begin());
  if (evidence_.size() == most_) return std::nullopt;
  evidence_.push_back({{std::move(name), dns::Type::TXT}, {}});
  return evidence_.size() - 1;
}

Task<void> KeyQuestions::ask(const Surroundings& around) {
  if (evidence_.size() == 1) {
    evidence_.front().answer = co_await around.resolver.lookup(evidence_.front().question, around.deadline);
    co_return;
  }
  std::vector<Task<dns::Answer>> questions;
  for (const dns::Evidence& evidence : evidence_)
    questions.push_back(around.resolver.lookup(evidence.question, around.deadline));
  auto answers = co_await async::when_all(around.scheduler, std::move(questions));
  for (std::size_t i = 0; i < answers.size(); ++i) evidence_[i].answer = std::move(answers[i]);
}

FoundKeys find_keys(const signature::Signature& signature, const dns::Answer& answer, signature::KeyCache& cache) {
  using signature::Outcome;
  if (answer.failed()) return {{}, {Outcome::temperror, words_of(answer.status)}};
  std::vector<std::shared_ptr<const signature::KeyRecord>> records;
  for (const dns::RecordData& record : answer.records) {
    if (const auto* text = std::get_if<std::string>(&record); text && records.size() < max_records)
      records.push_back(cache.get(*text));
  }
  if (records.empty()) return {{}, {Outcome::permerror, "no key for signature"}};
  signature::UsableKeys usable = signature::select_keys(signature, records);
  return {std::move(usable.keys), {Outcome::permerror, usable.problem}};
}

AuthResult auth_result(signature::Outcome outcome) {
  switch (outcome) {
    case signature::Outcome::pass:
      return AuthResult::pass;
    case signature::Outcome::fail:
      return AuthResult::fail;
    case signature::Outcome::policy:
      return AuthResult::policy;
    case signature::Outcome::temperror:
      return AuthResult::temperror;
    case signature::Outcome::permerror:
      break;
  }
  return AuthResult::permerror;
}

DkimFacts::BodyHash as_fact(signature::BodyHash hash) {
  return {hash.form.canonicalization == signature::Canonicalization::relaxed, hash.form.length, std::move(hash.digest),
          hash.canonical_octets};
}

std::vector<signature::BodyHash> from_facts(const std::vector<DkimFacts::BodyHash>& facts) {
  std::vector<signature::BodyHash> hashes;
  hashes.reserve(facts.size());
  for (const DkimFacts::BodyHash& fact : facts) {
    const auto how = fact.relaxed ? signature::Canonicalization::relaxed : signature::Canonicalization::simple;
    hashes.push_back({{how, fact.length}, fact.digest, fact.canonical_octets});
  }
  return hashes;
}

}  // namespace sallyport::policies
