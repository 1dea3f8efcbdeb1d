#include "policies/arc/sealer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/signature/arc_seal.h"
#include "policies/arc/facts.h"

namespace sallyport::policies {

namespace {

signature::ChainValidation validation_of(AuthResult result) {
  switch (result) {
    case AuthResult::none:
      return signature::ChainValidation::none;
    case AuthResult::pass:
      return signature::ChainValidation::pass;
    default:
      return signature::ChainValidation::fail;
  }
}

}  // namespace

Result<ArcSealer> ArcSealer::make(const ArcSealSettings& settings, std::string_view pem) {
  auto key = crypto::PrivateKey::read_pem(pem);
  if (!key) return Failure{settings.key_file + ' ' + key.error().message};
  return ArcSealer(settings, std::move(*key));
}

Result<ArcSealer> ArcSealer::read(const ArcSealSettings& settings) {
  auto key = crypto::PrivateKey::read_file(settings.key_file);
  if (!key) return std::move(key).error();
  return ArcSealer(settings, std::move(*key));
}

std::optional<std::string> ArcSealer::seal(const Request& request) const {
  // A chain that was not looked at must not be carried on: nobody knows what our seal would vouch for.
  const ArcFacts* arc = request.facts.find<ArcFacts>();
  if (arc == nullptr) return std::nullopt;
  const auto body = std::find_if(request.body_hashes.begin(), request.body_hashes.end(),
                                 [this](const signature::BodyHash& hash) { return hash.form == body_form(); });
  if (body == request.body_hashes.end()) return std::nullopt;
  const signature::ArcChain chain = signature::read_arc_chain(request.header);
  const std::string text = mail::auth_results_value(request.results);
  const auto since_1970 = std::chrono::duration_cast<std::chrono::seconds>(request.now.time_since_epoch());
  signature::SigningForm form;
  form.signed_names = signature::names_to_seal(request.header);
  form.signed_at = static_cast<std::uint64_t>(since_1970.count());
  const signature::SealRequest seal{chain, validation_of(arc->result), text, *body, std::move(form)};
  return signature::seal(request.header, seal, {domain_, selector_, key_});
}

}  // namespace sallyport::policies
