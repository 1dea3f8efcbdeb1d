#include "gateway/signature/sign.h"

#include <array>

#include "gateway/base/base64.h"
#include "gateway/base/ensure.h"
#include "gateway/crypto/digest.h"
#include "gateway/signature/header_input.h"

namespace sallyport::signature {

namespace {

// Fields of which a second one would change what the reader sees.
constexpr std::array<std::string_view, 10> oversigned{"From", "Sender", "Reply-To",   "Subject",      "Date",
                                                      "To",   "Cc",     "Message-ID", "MIME-Version", "Content-Type"};
constexpr std::array<std::string_view, 9> signed_if_present{
    "In-Reply-To", "References",       "Content-Transfer-Encoding",
    "List-Id",     "List-Unsubscribe", "List-Unsubscribe-Post",
    "List-Post",   "List-Help",        "List-Archive"};

}  // namespace

std::vector<std::string> names_to_sign(const mail::HeaderSection& section) {
  std::vector<std::string> names;
  const auto add = [&names](std::string_view name, std::size_t times) {
    names.insert(names.end(), times, std::string(name));
  };
  for (std::string_view name : oversigned) add(name, section.count(name) + 1);
  for (std::string_view name : signed_if_present) add(name, section.count(name));
  if (names.size() > max_signed_names) names.resize(max_signed_names);
  return names;
}

Algorithm algorithm_of(const crypto::PrivateKey& key) {
  return key.type() == crypto::KeyType::rsa ? Algorithm::rsa_sha256 : Algorithm::ed25519_sha256;
}

void add_message_tags(FieldWriter& field, const BodyHash& body, const SigningForm& form, const Signer& signer) {
  field.add("a", name(algorithm_of(signer.key)));
  field.add("c", std::string(name(form.header)) + '/' + std::string(name(body.form.canonicalization)));
  field.add("d", signer.domain);
  field.add("s", signer.selector);
  field.add("t", std::to_string(form.signed_at));
  if (body.form.length) field.add("l", std::to_string(*body.form.length));
  field.add_names("h", form.signed_names);
  field.add("bh", to_base64(body.digest));
}

std::string sign_message(const FieldWriter& field, const mail::HeaderSection& section, const SigningForm& form,
                         const crypto::PrivateKey& key) {
  const std::vector<std::string_view> names(form.signed_names.begin(), form.signed_names.end());
  std::string input;
  for (const mail::HeaderField* selected : FieldIndex(section).select(names, nullptr))
    append_canonical(input, *selected, form.header);

  const std::string unsigned_field = field.with_empty_signature();
  const mail::HeaderSection own(unsigned_field);
  const std::string_view value = own.fields().front().value;
  append_own_field(input, own.fields().front(), value.substr(value.size()), form.header);
  return field.with_signature(key.sign(crypto::sha256(input)));
}

std::string sign_dkim(const mail::HeaderSection& section, const BodyHash& body, const SigningForm& form,
                      const Signer& signer) {
  ensure(!body.digest.empty(), "sign_dkim: no body hash");
  FieldWriter field("DKIM-Signature");
  field.add("v", "1");
  add_message_tags(field, body, form, signer);
  return sign_message(field, section, form, signer.key);
}

}  // namespace sallyport::signature
