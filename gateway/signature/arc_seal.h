// Sealing (RFC 8617, 5.1): makes the ARC set for a mail that leaves us changed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/signature/arc_chain.h"
#include "gateway/signature/sign.h"

namespace sallyport::signature {

struct SealRequest {
  // The chain as received; its fields must be those of the header that is sealed. `validation` is our finding about it.
  const ArcChain& chain;
  ChainValidation validation = ChainValidation::none;
  // Our results for the mail as received: auth_results_value() without a line end.
  std::string_view results;
  const BodyHash& body;  // of the body as sent
  SigningForm form;
};

// The names to sign in an ARC-Message-Signature: names_to_sign() and the DKIM-Signature fields present. Never ARC
// fields or Authentication-Results.
std::vector<std::string> names_to_seal(const mail::HeaderSection& section);

// ARC-Seal, ARC-Message-Signature and ARC-Authentication-Results, in this order, each with its CRLF, to be put on top
// of `section`, the header as sent. Nothing if no set may be added: the chain ended with cv=fail or has 50 sets.
std::optional<std::string> seal(const mail::HeaderSection& section, const SealRequest& request, const Signer& signer);

}  // namespace sallyport::signature
