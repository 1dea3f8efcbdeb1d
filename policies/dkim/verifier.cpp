#include "policies/dkim/verifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/base/base64.h"
#include "gateway/base/text.h"
#include "gateway/mail/author_domains.h"
#include "gateway/signature/signature_field.h"
#include "gateway/signature/verify.h"
#include "policies/api/key_questions.h"
#include "policies/api/verifying_time.h"

namespace sallyport::policies {

using signature::Finding;
using signature::Outcome;
using signature::Signature;

namespace {

constexpr std::string_view field_name = "DKIM-Signature";
constexpr std::size_t shown_input_octets = 1000;
constexpr std::size_t min_b_octets = 8;  // RFC 6008, 4

std::string join(std::string_view a, char between, std::string_view b) {
  std::string joined(a);
  joined += between;
  joined += b;
  return joined;
}

DkimFacts::Signature describe(const Signature& signature) {
  DkimFacts::Signature fact;
  fact.domain = signature.domain;
  fact.selector = signature.selector;
  fact.identity = signature.identity;
  if (signature.algorithm) fact.algorithm = signature::name(*signature.algorithm);
  fact.b = to_base64(signature.value);
  fact.canonicalization =
      join(signature::name(signature.header), '/', signature::name(signature.body.canonicalization));
  return fact;
}

// A public suffix speaks for itself, as a registry or a government does, and for no name below it (D18).
bool is_sole_author(const std::string& domain, const mail::HeaderSection& header) {
  const mail::AuthorDomains authors = mail::author_domains(header);
  return authors.domains.size() == 1 && authors.domains.front() == domain;
}

// Cuts b= to so much as tells the signatures apart, where that is possible (RFC 6008).
void shorten_b(std::vector<DkimFacts::Signature>& signatures) {
  std::size_t octets = min_b_octets;
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const std::string& a = signatures[i].b;
      const std::string& b = signatures[j].b;
      if (a == b) continue;
      const auto differs = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
      octets = std::max(octets, static_cast<std::size_t>(differs - a.begin()) + 1);
    }
  }
  for (DkimFacts::Signature& signature : signatures) signature.b.resize(std::min(signature.b.size(), octets));
}

}  // namespace

// A signature on its way to a finding.
struct DkimVerifier::Candidate {
  const mail::HeaderField* field;
  Signature signature;
  std::optional<Finding> finding;  // nothing: its key has to be asked for
  std::optional<Finding> of_body;  // what is wrong with its body; stands unless its key is at fault
  std::size_t question = 0;
};

DkimVerifier::DkimVerifier(const DkimSettings& settings, const PublicSuffixList& suffixes, signature::KeyCache& keys,
                           CpuClock cpu_clock)
    : max_signatures_(settings.signatures), suffixes_(suffixes), keys_(keys), cpu_clock_(cpu_clock) {}

std::vector<Signature> DkimVerifier::read_signatures(const mail::HeaderSection& header) const {
  std::vector<Signature> signatures;
  for (const mail::HeaderField& field : header.fields()) {
    if (!text::equals_ignoring_case(field.name, field_name)) continue;
    if (signatures.size() == max_signatures_) break;
    signatures.push_back(signature::parse_dkim_signature(field.value));
  }
  return signatures;
}

std::vector<signature::BodyForm> DkimVerifier::body_forms(const std::vector<Signature>& signatures) {
  std::vector<signature::BodyForm> forms;
  for (const Signature& signature : signatures) {
    if (signature.is_well_formed()) forms.push_back(signature.body);
  }
  return forms;
}

std::vector<DkimVerifier::Candidate> DkimVerifier::judge_before_keys(
    const Transaction& mail, const std::vector<const mail::HeaderField*>& fields, std::vector<Signature> signatures,
    const std::vector<signature::BodyHash>& body) const {
  std::vector<Candidate> candidates;
  candidates.reserve(signatures.size());
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    Signature& signature = signatures[i];
    std::optional<Finding> finding = signature::judge_before_key(signature, mail.trusted_now());
    if (!finding && suffixes_.is_public_suffix(signature.domain, PublicSuffixList::Section::icann) &&
        !is_sole_author(signature.domain, mail.message->header()))
      finding = Finding{Outcome::policy, "d= is a public suffix"};
    std::optional<Finding> of_body;
    if (!finding) of_body = signature::judge_body(signature, body);
    candidates.push_back({fields[i], std::move(signature), finding, of_body, 0});
  }
  return candidates;
}

void DkimVerifier::verify_candidate(Candidate& candidate, const dns::Answer& answer,
                                    const signature::FieldIndex& fields, const std::vector<signature::BodyHash>& body,
                                    std::string& input, DkimFacts::Signature& fact) const {
  FoundKeys found = find_keys(candidate.signature, answer, keys_);
  const bool has_no_keys = found.keys.empty();
  if (!has_no_keys) fact.testing = found.keys.front()->testing;
  if (has_no_keys || candidate.of_body) {
    // The key is judged before the body (RFC 6376, 6.1.2 and 6.1.3); a failed look-up is no judgement.
    const bool is_the_keys_fault = has_no_keys && found.finding.outcome != Outcome::temperror;
    candidate.finding = is_the_keys_fault || !candidate.of_body ? found.finding : *candidate.of_body;
    return;
  }
  const signature::HeaderCheck check =
      signature::verify_header(candidate.signature, *candidate.field, fields, found.keys, input);
  candidate.finding = check.finding;
  if (check.finding.outcome == Outcome::pass)
    candidate.finding = signature::judge_coverage(candidate.signature, fields, body);
  fact.key_bits = check.key->key->bits();
  fact.testing = check.key->testing;
  fact.header_hash = to_base64(check.header_hash);
  fact.header_input_start = input.substr(0, shown_input_octets);
}

void DkimVerifier::note_many(const Transaction& mail, const GatherContext& context) {
  context.counters.add(Violation::dkim_many);
  const std::string ip = mail.client.ip.to_string();
  const std::string_view kind = sallyport::name(Violation::dkim_many);
  context.log.write(LogLevel::info, "violation", {{"kind", kind}, {"id", mail.id}, {"ip", ip}});
}

Task<DkimFacts> DkimVerifier::verify(const Transaction& mail, std::vector<Signature> signatures,
                                     const GatherContext& context) const {
  DkimFacts found;
  const mail::HeaderSection& header = mail.message->header();
  const std::vector<const mail::HeaderField*> fields = header.find_all(field_name);
  found.fields_found = fields.size();
  if (fields.empty()) co_return found;
  if (fields.size() > max_signatures_) note_many(mail, context);
  const std::vector<signature::BodyHash>& body = context.body_hashes;
  std::vector<Candidate> candidates = judge_before_keys(mail, fields, std::move(signatures), body);
  KeyQuestions questions(candidates.size());
  for (Candidate& candidate : candidates) {
    if (candidate.finding) continue;
    auto name = signature::key_record_name(candidate.signature);
    if (name) {
      candidate.question = questions.add(std::move(*name)).value();
    } else {
      candidate.finding = Finding{Outcome::permerror, "s= and d= are too long for a name"};
    }
  }
  co_await questions.ask(context);

  // What took time up to here is bounded by the header's size; the keys' owners say how long the rest takes.
  VerifyingTime time(context, cpu_clock_);
  const signature::FieldIndex index(header);
  std::string input;
  for (Candidate& candidate : candidates) {
    DkimFacts::Signature& fact = found.signatures.emplace_back(describe(candidate.signature));
    if (!candidate.finding) {
      if (co_await time.goes_on()) {
        verify_candidate(candidate, questions.answer(candidate.question), index, body, input, fact);
      } else {
        candidate.finding = Finding{Outcome::temperror, "verification took too long"};
      }
    }
    for (const signature::BodyHash& hash : body) {
      if (candidate.signature.is_well_formed() && hash.form == candidate.signature.body)
        fact.body_hash = to_base64(hash.digest);
    }
    fact.result = auth_result(candidate.finding->outcome);
    fact.reason = candidate.finding->reason;
  }
  shorten_b(found.signatures);
  found.evidence = questions.take_evidence();
  co_return found;
}

}  // namespace sallyport::policies
