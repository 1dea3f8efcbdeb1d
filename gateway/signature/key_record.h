// KeyRecord: the key record of a signature in the DNS (RFC 6376, 3.6.1; RFC 8463).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/crypto/public_key.h"
#include "gateway/signature/signature_field.h"

namespace sallyport::signature {

inline constexpr std::size_t max_key_record_octets = 4096;  // threats.md D15

struct KeyRecord {
  std::string_view problem;              // why it is unusable for any signature, in our own words; empty if usable
  std::optional<crypto::PublicKey> key;  // set if there is no problem
  bool testing = false;                  // t=y: treat the mail as if it were not signed
  bool strict_identity = false;          // t=s: the domain of i= must equal d=
};

// `text` is the joined strings of one TXT record. It is untrusted; parsing is bounded and linear.
KeyRecord parse_key_record(std::string_view text);

// "SELECTOR._domainkey.DOMAIN", lower case; nothing if that is not a valid name or too long for a question.
std::optional<std::string> key_record_name(const Signature& signature);

crypto::KeyType key_type(Algorithm algorithm);

}  // namespace sallyport::signature
