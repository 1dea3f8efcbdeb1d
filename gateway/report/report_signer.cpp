#include "gateway/report/report_signer.h"

#include <chrono>
#include <cstdint>

#include "gateway/base/ensure.h"
#include "gateway/mail/header.h"
#include "gateway/signature/sign.h"

namespace sallyport::report {

Result<ReportSigner> ReportSigner::read(const policies::DmarcSignSettings& settings) {
  auto key = crypto::PrivateKey::read_file(settings.key_file);
  if (!key) return std::move(key).error();
  return ReportSigner(settings, std::move(*key));
}

std::string ReportSigner::sign(std::string_view message, WallTime now) const {
  const std::size_t end = message.find("\r\n\r\n");
  ensure(end != std::string_view::npos, "report: a message without a body");
  const mail::HeaderSection header(message.substr(0, end + 4));
  const signature::BodyHash body =
      signature::hash_body(message.substr(end + 4), {signature::Canonicalization::relaxed, std::nullopt});
  const auto since_1970 = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  signature::SigningForm form;
  form.signed_names = signature::names_to_sign(header);
  form.signed_at = static_cast<std::uint64_t>(since_1970);
  return signature::sign_dkim(header, body, form, {domain_, selector_, key_}) + std::string(message);
}

}  // namespace sallyport::report
