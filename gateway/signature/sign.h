// Makes DKIM signatures (RFC 6376, 5) and the parts that ARC message signatures share with them.
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

// The signing identity. The domain and the selector are A-labels; the key must outlive it.
struct Signer {
  std::string domain;
  std::string selector;
  const crypto::PrivateKey& key;
};

struct SigningForm {
  Canonicalization header = Canonicalization::relaxed;
  std::vector<std::string> signed_names;  // h=, must include From
  std::uint64_t signed_at = 0;            // t=, seconds since 1970
};

// The names to sign: fields that readers see or depend on, each as often as it is present. Fields whose addition would
// change what readers see are listed once more (oversigning, RFC 6376, 8.15). Never trace fields.
std::vector<std::string> names_to_sign(const mail::HeaderSection& section);

// A whole DKIM-Signature field, folded, with its CRLF, to be put on top. `body` is the hash of the body as sent.
std::string sign_dkim(const mail::HeaderSection& section, const BodyHash& body, const SigningForm& form,
                      const Signer& signer);

// Adds the tags common to DKIM-Signature and ARC-Message-Signature: a= c= d= s= t= l= h= bh=.
void add_message_tags(FieldWriter& field, const BodyHash& body, const SigningForm& form, const Signer& signer);
// Completes the field with a signature over the fields that form.signed_names selects from `section`, and over itself.
std::string sign_message(const FieldWriter& field, const mail::HeaderSection& section, const SigningForm& form,
                         const crypto::PrivateKey& key);
Algorithm algorithm_of(const crypto::PrivateKey& key);

}  // namespace sallyport::signature
