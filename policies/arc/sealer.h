// Seals mail that we have changed (RFC 8617, 5.1), so that whoever trusts us need not take our changes for forgery.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/crypto/private_key.h"
#include "gateway/mail/auth_results.h"
#include "gateway/mail/header.h"
#include "gateway/signature/body_hash.h"
#include "policies/api/auth_facts.h"
#include "policies/api/sealer.h"
#include "policies/arc/settings.h"

namespace sallyport::policies {

class ArcSealer final : public MailSealer {
 public:
  // `pem` is the content of the key file. Failure: what is wrong with it, for the one who configured it.
  static Result<ArcSealer> make(const ArcSealSettings& settings, std::string_view pem);

  // Reads the key file. Failure: likewise.
  static Result<ArcSealer> read(const ArcSealSettings& settings);

  // How the body that leaves has to be hashed.
  static signature::BodyForm body_form() { return {signature::Canonicalization::relaxed, std::nullopt}; }

  // The fields to put on top of `header`, the one that leaves with the mail's ARC fields as they came: a whole set.
  // `body` is the digest of the body that leaves, `arc` what was found of the chain, `results` what we say of the mail
  // as it came. Nothing when no set may be added.
  std::optional<std::string> seal(const mail::HeaderSection& header, const signature::BodyHash& body,
                                  const ArcFacts& arc, const mail::AuthResults& results, WallTime now) const;
  std::optional<std::string> seal(const Request& request) const override;

 private:
  ArcSealer(const ArcSealSettings& settings, crypto::PrivateKey key)
      : domain_(settings.domain), selector_(settings.selector), key_(std::move(key)) {}

  std::string domain_;
  std::string selector_;
  crypto::PrivateKey key_;
};

}  // namespace sallyport::policies
