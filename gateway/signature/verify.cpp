#include "gateway/signature/verify.h"

#include <algorithm>
#include <chrono>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"

namespace sallyport::signature {

namespace {

constexpr std::uint64_t clock_skew_seconds = 300;  // threats.md D18
constexpr std::size_t max_keys = 3;

std::uint64_t seconds_since_1970(WallTime time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds);
}

const BodyHash* find_form(std::span<const BodyHash> body, const BodyForm& form) {
  const auto found =
      std::find_if(body.begin(), body.end(), [&form](const BodyHash& hash) { return hash.form == form; });
  return found == body.end() ? nullptr : &*found;
}

std::string_view problem_with(const Signature& signature, const KeyRecord& record) {
  if (!record.problem.empty()) return record.problem;
  if (record.key->type() != key_type(*signature.algorithm)) return "key is of another type than the signature";
  if (record.strict_identity && signature.identity_domain != signature.domain) return "key does not allow i= below d=";
  return {};
}

}  // namespace

std::optional<Finding> judge_before_key(const Signature& signature, std::optional<WallTime> now) {
  if (!signature.is_well_formed()) return Finding{Outcome::permerror, signature.problem};
  if (signature.algorithm == Algorithm::rsa_sha1) return Finding{Outcome::permerror, "rsa-sha1 is not accepted"};
  if (!now) return std::nullopt;
  const std::uint64_t seconds = seconds_since_1970(*now);
  if (signature.signed_at && *signature.signed_at > seconds + clock_skew_seconds)
    return Finding{Outcome::permerror, "signed in the future"};
  if (signature.expires_at && *signature.expires_at + clock_skew_seconds < seconds)
    return Finding{Outcome::permerror, "signature has expired"};
  return std::nullopt;
}

std::optional<Finding> judge_body(const Signature& signature, std::span<const BodyHash> body) {
  const BodyHash* hash = find_form(body, signature.body);
  // The body was not hashed in this form, so nothing may count as verified (threats.md I9).
  if (!hash) return Finding{Outcome::temperror, "body was not hashed"};
  if (hash->digest.empty()) return Finding{Outcome::permerror, "l= is longer than the body"};
  if (hash->digest != signature.body_hash) return Finding{Outcome::fail, "body hash did not verify"};
  return std::nullopt;
}

UsableKeys select_keys(const Signature& signature, std::span<const std::shared_ptr<const KeyRecord>> records) {
  UsableKeys usable;
  for (const auto& record : records) {
    const std::string_view problem = problem_with(signature, *record);
    if (problem.empty() && usable.keys.size() < max_keys) usable.keys.push_back(record);
    if (usable.problem.empty()) usable.problem = problem;
  }
  if (!usable.keys.empty()) usable.problem = {};
  return usable;
}

HeaderCheck verify_input(const Signature& signature, std::span<const std::shared_ptr<const KeyRecord>> keys,
                         std::string_view input) {
  ensure(!keys.empty(), "verify_input: no key");
  HeaderCheck check;
  check.header_hash = crypto::sha256(input);
  for (const auto& record : keys) {
    if (!record->key->verify(check.header_hash, signature.value)) continue;
    check.key = record;
    check.finding = {Outcome::pass, {}};
    return check;
  }
  check.key = keys.front();
  check.finding = {Outcome::fail, "signature did not verify"};
  return check;
}

HeaderCheck verify_header(const Signature& signature, const mail::HeaderField& field, const FieldIndex& fields,
                          std::span<const std::shared_ptr<const KeyRecord>> keys, std::string& input) {
  input.clear();
  for (const mail::HeaderField* selected : fields.select(signature.signed_names, &field))
    append_canonical(input, *selected, signature.header);
  append_own_field(input, field, signature.raw_value, signature.header);
  return verify_input(signature, keys, input);
}

Finding judge_coverage(const Signature& signature, const FieldIndex& fields, std::span<const BodyHash> body) {
  const auto named = std::count_if(signature.signed_names.begin(), signature.signed_names.end(),
                                   [](std::string_view name) { return text::equals_ignoring_case(name, "from"); });
  // RFC 6376, 8.15: readers show a second From on top, which the signature does not cover.
  if (static_cast<std::size_t>(named) < fields.count("from")) return {Outcome::policy, "a From field is not signed"};
  const BodyHash* hash = find_form(body, signature.body);
  if (signature.body.length && hash && *signature.body.length < hash->canonical_octets)
    return {Outcome::policy, "l= leaves the end of the body unsigned"};
  return {Outcome::pass, {}};
}

}  // namespace sallyport::signature
