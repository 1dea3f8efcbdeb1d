#include "policies/arc/sealer.h"

#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include "gateway/signature/arc_seal.h"

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
  std::ifstream file(settings.key_file, std::ios::binary);
  std::string pem(std::istreambuf_iterator<char>(file), {});
  if (!file) return Failure{settings.key_file + " cannot be read"};
  return make(settings, pem);
}

std::optional<std::string> ArcSealer::seal(const Request& request) const {
  signature::BodyHasher hasher({body_form()});
  mail::Message::BodyPieces pieces = request.message.body();
  while (true) {
    const auto piece = pieces.next();
    if (!piece) return std::nullopt;
    if (piece->empty()) break;
    hasher.feed(*piece);
  }
  return seal(request.header, hasher.finish().front(), request.arc, request.results, request.now);
}

std::optional<std::string> ArcSealer::seal(const mail::HeaderSection& header, const signature::BodyHash& body,
                                           const ArcFacts& arc, const mail::AuthResults& results, WallTime now) const {
  const signature::ArcChain chain = signature::read_arc_chain(header);
  const std::string text = mail::auth_results_value(results);
  signature::SigningForm form;
  form.signed_names = signature::names_to_seal(header);
  form.signed_at =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  const signature::SealRequest request{chain, validation_of(arc.result), text, body, std::move(form)};
  return signature::seal(header, request, {domain_, selector_, key_});
}

}  // namespace sallyport::policies
