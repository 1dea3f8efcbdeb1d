// Seals mail that we have changed (RFC 8617, 5.1), so that those who trust us need not take our changes for forgery.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/result.h"
#include "gateway/crypto/private_key.h"
#include "policies/api/sealer.h"
#include "policies/arc/settings.h"

namespace sallyport::policies {

class ArcSealer final : public MailSealer {
 public:
  // `pem` is the content of the key file. Failure: what is wrong with it, in words for the administrator.
  static Result<ArcSealer> make(const ArcSealSettings& settings, std::string_view pem);

  // Reads the key file; it waits for the disk. Failure: what is wrong with the file, in words for the administrator.
  static Result<ArcSealer> read(const ArcSealSettings& settings);

  signature::BodyForm body_form() const override { return {signature::Canonicalization::relaxed, std::nullopt}; }

  // One whole ARC set. Nothing when none may be added: the chain was not validated, or is already known as broken, or
  // has 50 sets; or the body was not hashed.
  std::optional<std::string> seal(const Request& request) const override;

 private:
  ArcSealer(const ArcSealSettings& settings, crypto::PrivateKey key)
      : domain_(settings.domain), selector_(settings.selector), key_(std::move(key)) {}

  std::string domain_;
  std::string selector_;
  crypto::PrivateKey key_;
};

}  // namespace sallyport::policies
