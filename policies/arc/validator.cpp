#include "policies/arc/validator.h"

#include <optional>
#include <utility>

#include "gateway/mail/header.h"
#include "gateway/signature/header_input.h"
#include "gateway/signature/verify.h"
#include "policies/api/key_questions.h"
#include "policies/api/verifying_time.h"
#include "policies/arc/trust.h"

namespace sallyport::policies {

using signature::ArcSet;
using signature::Finding;
using signature::Outcome;

namespace {

constexpr std::size_t max_shown_octets = 2000;

AuthResult auth_result(signature::ChainValidation validation) {
  switch (validation) {
    case signature::ChainValidation::none:
      return AuthResult::none;
    case signature::ChainValidation::pass:
      return AuthResult::pass;
    case signature::ChainValidation::fail:
      break;
  }
  return AuthResult::fail;
}

std::vector<ArcFacts::Set> describe(const signature::ArcChain& chain) {
  std::vector<ArcFacts::Set> facts;
  for (const ArcSet& set : chain.sets) {
    ArcFacts::Set& fact = facts.emplace_back();
    fact.instance = set.instance;
    fact.seal_domain = set.seal.domain;
    fact.seal_selector = set.seal.selector;
    fact.message_domain = set.message.domain;
    fact.cv = auth_result(set.validation);
    read_results(set.results, fact);
    fact.results = mail::unfold(set.results).substr(0, max_shown_octets);
  }
  return facts;
}

std::string reason_of(std::string_view field, unsigned instance, std::string_view why) {
  std::string reason(field);
  reason += " i=" + std::to_string(instance) + ": ";
  reason += why;
  return reason;
}

}  // namespace

// The chain of one mail while it is validated.
class ArcValidator::Chain {
 public:
  Chain(const Transaction& mail, signature::ArcChain chain, const std::vector<signature::BodyHash>& body,
        signature::KeyCache& keys, CpuClock cpu_clock)
      : mail_(mail), keys_(keys), cpu_clock_(cpu_clock), chain_(std::move(chain)), body_(body) {}

  bool exists() const { return !chain_.sets.empty() || !chain_.problem.empty(); }
  const signature::ArcChain& chain() const { return chain_; }
  KeyQuestions& questions() { return questions_; }

  // What needs no key. Each of these gives the reason why the chain fails, or an empty one.
  std::string prepare() {
    if (!chain_.problem.empty()) return std::string(chain_.problem);
    messages_.resize(chain_.sets.size());
    seal_questions_.resize(chain_.sets.size());
    const std::size_t newest = chain_.sets.size() - 1;
    if (const auto finding = judge_message(newest))
      return reason_of("ARC-Message-Signature", chain_.sets[newest].instance, finding->reason);
    std::string why = ask_for_seals();
    if (why.empty()) why = ask_for_message(newest);
    // The older ones say no more than how far back the mail is as it was: not for them is the chain to fail.
    for (std::size_t i = newest; why.empty() && i > 0; --i) {
      if (judge_message(i - 1) || !ask_for_message(i - 1).empty()) break;
    }
    return why;
  }

  // With the keys: why the chain fails, or nothing. What it takes of processor time is in the hands of the sealers.
  Task<std::string> verify(const GatherContext& context) {
    VerifyingTime time(context, cpu_clock_);
    const std::size_t newest = chain_.sets.size() - 1;
    if (const Finding finding = co_await verify_message(newest, time); finding.outcome != Outcome::pass)
      co_return reason_of("ARC-Message-Signature", chain_.sets[newest].instance, finding.reason);
    for (std::size_t i = newest; i > 0; --i) {
      const Finding finding = co_await verify_message(i - 1, time);
      if (finding.outcome == Outcome::pass) continue;
      oldest_pass_ = chain_.sets[i].instance;
      break;
    }
    co_return co_await verify_seals(time);
  }

  unsigned oldest_pass() const { return oldest_pass_; }

  // Whether the set's message signature verifies and covers what the reader sees.
  bool vouches(std::size_t of) const {
    const ArcSet& set = chain_.sets[of];
    if (set.instance < oldest_pass_) return false;
    return signature::judge_coverage(set.message, *fields_, body_).outcome == Outcome::pass;
  }

 private:
  // Of the body, and of what the signature says about itself.
  std::optional<Finding> judge_message(std::size_t of) const {
    const signature::Signature& signature = chain_.sets[of].message;
    if (const auto finding = signature::judge_before_key(signature, mail_.trusted_now())) return finding;
    return signature::judge_body(signature, body_);
  }

  std::optional<std::size_t> ask_for(const signature::Signature& signature) {
    auto name = signature::key_record_name(signature);
    if (!name) return std::nullopt;
    return questions_.add(std::move(*name));
  }

  std::string ask_for_seals() {
    for (std::size_t i = 0; i < chain_.sets.size(); ++i) {
      const ArcSet& set = chain_.sets[i];
      if (const auto finding = signature::judge_before_key(set.seal, mail_.trusted_now()))
        return reason_of("ARC-Seal", set.instance, finding->reason);
      const auto question = ask_for(set.seal);
      if (!question) return reason_of("ARC-Seal", set.instance, "its key cannot be asked for");
      seal_questions_[i] = *question;
    }
    return {};
  }

  std::string ask_for_message(std::size_t of) {
    messages_[of] = ask_for(chain_.sets[of].message);
    if (messages_[of]) return {};
    return reason_of("ARC-Message-Signature", chain_.sets[of].instance, "its key cannot be asked for");
  }

  Task<Finding> verify_message(std::size_t of, VerifyingTime& time) {
    if (!messages_[of]) co_return Finding{Outcome::permerror, "not looked at"};
    if (!co_await time.goes_on()) co_return Finding{Outcome::temperror, "verification took too long"};
    if (!fields_) fields_.emplace(mail_.message->header());
    const ArcSet& set = chain_.sets[of];
    const FoundKeys found = find_keys(set.message, questions_.answer(*messages_[of]), keys_);
    if (found.keys.empty()) co_return found.finding;
    std::string input;
    co_return signature::verify_header(set.message, *set.message_field, *fields_, found.keys, input).finding;
  }

  Task<std::string> verify_seals(VerifyingTime& time) {
    std::string prefix;
    for (std::size_t i = 0; i < chain_.sets.size(); ++i) {
      const ArcSet& set = chain_.sets[i];
      if (!co_await time.goes_on()) co_return reason_of("ARC-Seal", set.instance, "verification took too long");
      const FoundKeys found = find_keys(set.seal, questions_.answer(seal_questions_[i]), keys_);
      if (found.keys.empty()) co_return reason_of("ARC-Seal", set.instance, found.finding.reason);
      const std::string input = signature::seal_input(chain_.sets, i, prefix);
      const Finding finding = signature::verify_input(set.seal, found.keys, input).finding;
      if (finding.outcome != Outcome::pass) co_return reason_of("ARC-Seal", set.instance, finding.reason);
    }
    co_return std::string();
  }

  const Transaction& mail_;
  signature::KeyCache& keys_;
  CpuClock cpu_clock_;
  signature::ArcChain chain_;
  const std::vector<signature::BodyHash>& body_;
  KeyQuestions questions_{max_key_names};
  std::vector<std::size_t> seal_questions_;           // of each set
  std::vector<std::optional<std::size_t>> messages_;  // likewise; nothing where it is not asked for
  std::optional<signature::FieldIndex> fields_;
  unsigned oldest_pass_ = 0;
};

ArcValidator::ArcValidator(const ArcSettings& settings, signature::KeyCache& keys, CpuClock cpu_clock)
    : trusted_sealers_(settings.trusted_sealers), keys_(keys), cpu_clock_(cpu_clock) {}

std::vector<signature::BodyForm> ArcValidator::body_forms(const signature::ArcChain& chain) {
  std::vector<signature::BodyForm> forms;
  if (!chain.problem.empty()) return forms;
  for (const ArcSet& set : chain.sets) {
    if (set.message.is_well_formed()) forms.push_back(set.message.body);
  }
  return forms;
}

Task<ArcFacts> ArcValidator::validate(const Transaction& mail, signature::ArcChain read,
                                      const GatherContext& context) const {
  ArcFacts found;
  Chain chain(mail, std::move(read), context.body_hashes, keys_, cpu_clock_);
  if (!chain.exists()) co_return found;
  found.sets = describe(chain.chain());
  found.reason = chain.prepare();
  if (found.reason.empty()) {
    co_await chain.questions().ask(context);
    found.reason = co_await chain.verify(context);
    found.oldest_pass = chain.oldest_pass();
    found.evidence = chain.questions().take_evidence();
  }
  found.result = found.reason.empty() ? AuthResult::pass : AuthResult::fail;
  if (found.result == AuthResult::pass) {
    std::vector<bool> vouches;
    for (std::size_t i = 0; i < found.sets.size(); ++i) vouches.push_back(chain.vouches(i));
    find_trusted_sets(found, vouches, trusted_sealers_);
  }
  co_return found;
}

}  // namespace sallyport::policies
