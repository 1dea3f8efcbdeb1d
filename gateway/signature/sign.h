// Signing (RFC 6376, 5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/crypto/private_key.h"
#include "gateway/mail/header.h"
#include "gateway/signature/body_hash.h"
#include "gateway/signature/field_writer.h"
#include "gateway/signature/signature_field.h"

namespace sallyport::signature {

// Who signs. The domain and the selector are A-labels; the key outlives it.
struct Signer {
  std::string domain;
  std::string selector;
  const crypto::PrivateKey& key;
};

struct SigningForm {
  Canonicalization header = Canonicalization::relaxed;
  std::vector<std::string> signed_names;  // h=, From among them
  std::uint64_t signed_at = 0;            // t=, seconds since 1970
};

// The names to sign: those present of the fields that readers see or depend on, each as often as it stands there, and
// those that somebody could add to change what is read once more (oversigning, RFC 6376, 8.15). Never trace fields.
std::vector<std::string> names_to_sign(const mail::HeaderSection& section);

// A whole DKIM-Signature field, folded, with its CRLF, to be put on top. `body` is the digest of the final body.
std::string sign_dkim(const mail::HeaderSection& section, const BodyHash& body, const SigningForm& form,
                      const Signer& signer);

// Of DKIM-Signature and ARC-Message-Signature: c= d= s= t= h= bh= l=.
void add_message_tags(FieldWriter& field, const BodyHash& body, const SigningForm& form, const Signer& signer);
// The field with its signature over what form.signed_names selects of `section`, and over itself.
std::string sign_message(const FieldWriter& field, const mail::HeaderSection& section, const SigningForm& form,
                         const crypto::PrivateKey& key);
Algorithm algorithm_of(const crypto::PrivateKey& key);

}  // namespace sallyport::signature
