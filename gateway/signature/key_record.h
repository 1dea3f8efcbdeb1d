// The key record of a signature, as the DNS has it (RFC 6376, 3.6.1; RFC 8463).
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
  std::string_view problem;              // why it is no key for any signature; empty when it is one. Text of ours
  std::optional<crypto::PublicKey> key;  // when there is no problem
  bool testing = false;                  // t=y: the mail is to be treated as if it were not signed
  bool strict_identity = false;          // t=s: i= must have the very domain d=
};

// `text` is the joined strings of one TXT record; a stranger's, so bounded and linear.
KeyRecord parse_key_record(std::string_view text);

// "SELECTOR._domainkey.DOMAIN", lower case; nothing when that is too long for a question.
std::optional<std::string> key_record_name(const Signature& signature);

crypto::KeyType key_type(Algorithm algorithm);

}  // namespace sallyport::signature
