// Whether a signature holds (RFC 6376, 6.1): everything but fetching the key.
#pragma once

#include <cstdint>
#include <memory>
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

// Those of RFC 8601, 2.7.1, that a verifier can come to.
enum class Outcome : std::uint8_t {
  pass,
  fail,
  policy,     // it holds, and is not good enough
  permerror,  // it can never be verified
  temperror,  // it could not be found out
};

struct Finding {
  Outcome outcome = Outcome::permerror;
  std::string_view reason;  // why it is not a pass; text of ours
};

// What is wrong with a signature before its key is asked for; nothing when it is worth asking. `now` is the time the
// mail came.
std::optional<Finding> judge_before_key(const Signature& signature, WallTime now);
// The same of the body: `body` has the digests that were computed.
std::optional<Finding> judge_body(const Signature& signature, std::span<const BodyHash> body);

// Of the TXT records at the key's name, those that can be keys of this signature, at most three (more than one is
// undefined, RFC 6376, 3.6.2.2); when there is none, what is wrong with the first.
struct UsableKeys {
  std::vector<std::shared_ptr<const KeyRecord>> keys;
  std::string_view problem;
};
UsableKeys select_keys(const Signature& signature, std::span<const std::shared_ptr<const KeyRecord>> records);

// What was computed on the way, for reports.
struct HeaderCheck {
  Finding finding;
  std::string header_hash;               // SHA-256
  std::shared_ptr<const KeyRecord> key;  // the one that verified it, else the first one tried
};

// Whether one of the keys, of which there is at least one, has signed `input`.
HeaderCheck verify_input(const Signature& signature, std::span<const std::shared_ptr<const KeyRecord>> keys,
                         std::string_view input);
// The last step: the signature over the fields that h= selects. `input` receives what was hashed.
HeaderCheck verify_header(const Signature& signature, const mail::HeaderField& field, const FieldIndex& fields,
                          std::span<const std::shared_ptr<const KeyRecord>> keys, std::string& input);

// What still stands against a DKIM signature that verified: unsigned octets after l= (threats.md D17), a From field
// that it does not cover.
Finding judge_coverage(const Signature& signature, const FieldIndex& fields, std::span<const BodyHash> body);

}  // namespace sallyport::signature
