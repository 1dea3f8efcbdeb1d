// Sealing (RFC 8617, 5.1): the ARC set that vouches for a mail as it leaves us changed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/signature/arc_chain.h"
#include "gateway/signature/sign.h"

namespace sallyport::signature {

struct SealRequest {
  // The chain as it came, its fields being those of the header that is sealed, and what was found of it.
  const ArcChain& chain;
  ChainValidation validation = ChainValidation::none;
  // Our results of the mail as it came: auth_results_value() without a line end.
  std::string_view results;
  const BodyHash& body;  // of the body as it leaves
  SigningForm form;
};

// The names to sign in an ARC-Message-Signature: names_to_sign(), and the DKIM signatures that are there. Never ARC
// fields or Authentication-Results.
std::vector<std::string> names_to_seal(const mail::HeaderSection& section);

// ARC-Seal, ARC-Message-Signature and ARC-Authentication-Results, in this order, each with its CRLF: to be put on top
// of `section`, the header as it leaves. Nothing when no set may be added: the chain was broken before us and says so,
// or has 50 sets.
std::optional<std::string> seal(const mail::HeaderSection& section, const SealRequest& request, const Signer& signer);

}  // namespace sallyport::signature
