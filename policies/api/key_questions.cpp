#include "policies/api/key_questions.h"

#include <algorithm>
#include <utility>

#include "policies/api/ask.h"

namespace sallyport::policies {

namespace {

// More than one key record at a name is undefined (RFC 6376, 3.6.2.2); a few unrelated TXT records beside the key are
// accepted.
constexpr std::size_t max_records = 10;

std::string_view describe(dns::Status status) {
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
  dns::Question question{std::move(name), dns::Type::TXT};
  const auto known = std::find(questions_.begin(), questions_.end(), question);
  if (known != questions_.end()) return static_cast<std::size_t>(known - questions_.begin());
  if (questions_.size() == most_) return std::nullopt;
  questions_.push_back(std::move(question));
  return questions_.size() - 1;
}

Task<void> KeyQuestions::ask(const GatherContext& context) {
  evidence_ = co_await ask_all(std::move(questions_), context);
}

FoundKeys find_keys(const signature::Signature& signature, const dns::Answer& answer, signature::KeyCache& cache) {
  using signature::Outcome;
  if (answer.failed()) return {{}, {Outcome::temperror, describe(answer.status)}};
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

}  // namespace sallyport::policies
