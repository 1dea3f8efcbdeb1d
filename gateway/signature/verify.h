// Verifies a signature (RFC 6376, 6.1), except for fetching the key. The caller takes the steps in the order below.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/units.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/header_input.h"
#include "gateway/signature/key_record.h"
#include "gateway/signature/signature_field.h"

namespace sallyport::signature {

// The results of RFC 8601, 2.7.1, that verification can give.
enum class Outcome : std::uint8_t {
  pass,
  fail,
  policy,     // valid, but not good enough for us
  permerror,  // can never be verified
  temperror,  // could not be decided now
};

struct Finding {
  Outcome outcome = Outcome::permerror;
  std::string_view reason;  // why it is not a pass, in our own words
};

// Judges a signature before its key is fetched; nothing if it is worth fetching. `now` is the time the mail arrived;
// without it, as while the clock is suspect, x= and t= are not judged.
std::optional<Finding> judge_before_key(const Signature& signature, std::optional<WallTime> now);
// Compares the body hash; nothing if it matches. `body` holds the digests that were computed.
std::optional<Finding> judge_body(const Signature& signature, std::span<const BodyHash> body);

// Selects from the TXT records at the key's name those that can be keys of this signature, at most three (more than one
// is undefined, RFC 6376, 3.6.2.2). If there is none, `problem` says what is wrong with the first.
struct UsableKeys {
  std::vector<std::shared_ptr<const KeyRecord>> keys;
  std::string_view problem;
};
UsableKeys select_keys(const Signature& signature, std::span<const std::shared_ptr<const KeyRecord>> records);

// The result of verifying the header, with values for reports.
struct HeaderCheck {
  Finding finding;
  std::string header_hash;               // SHA-256
  std::shared_ptr<const KeyRecord> key;  // the key that verified it, otherwise the first one tried
};

// Verifies `input` with each of the keys (at least one) until one fits.
HeaderCheck verify_input(const Signature& signature, std::span<const std::shared_ptr<const KeyRecord>> keys,
                         std::string_view input);
// Verifies the signature over the fields that h= selects. `input` receives the octets that were hashed.
HeaderCheck verify_header(const Signature& signature, const mail::HeaderField& field, const FieldIndex& fields,
                          std::span<const std::shared_ptr<const KeyRecord>> keys, std::string& input);

// Judges what a valid DKIM signature covers: a policy finding if octets after l= are unsigned (threats.md D17) or a
// From field is not covered, otherwise pass.
Finding judge_coverage(const Signature& signature, const FieldIndex& fields, std::span<const BodyHash> body);

}  // namespace sallyport::signature
