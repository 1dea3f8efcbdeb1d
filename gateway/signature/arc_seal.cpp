#include "gateway/signature/arc_seal.h"

#include <algorithm>

#include "gateway/base/ensure.h"
#include "gateway/crypto/digest.h"
#include "gateway/signature/header_input.h"

namespace sallyport::signature {

namespace {

std::string make_seal(const SealRequest& request, const std::string& instance, const std::string& results,
                      const std::string& message, const Signer& signer) {
  FieldWriter field("ARC-Seal");
  field.add("i", instance);
  field.add("a", name(algorithm_of(signer.key)));
  field.add("cv", name(request.validation));
  field.add("d", signer.domain);
  field.add("s", signer.selector);
  field.add("t", std::to_string(request.form.signed_at));

  std::string input;
  // RFC 8617, 5.1.2: with cv=fail the seal covers only the new set.
  if (request.validation != ChainValidation::fail) {
    for (const ArcSet& set : request.chain.sets) {
      append_arc_field(input, *set.results_field);
      append_arc_field(input, *set.message_field);
      append_arc_field(input, *set.seal_field);
    }
  }
  const std::string unsigned_field = field.with_empty_signature();
  const mail::HeaderSection results_section(results);
  const mail::HeaderSection message_section(message);
  const mail::HeaderSection own_section(unsigned_field);
  append_arc_field(input, results_section.fields().front());
  append_arc_field(input, message_section.fields().front());
  const mail::HeaderField& own = own_section.fields().front();
  append_own_field(input, own, own.value.substr(own.value.size()), Canonicalization::relaxed);
  return field.with_signature(signer.key.sign(crypto::sha256(input)));
}

}  // namespace

std::vector<std::string> names_to_seal(const mail::HeaderSection& section) {
  std::vector<std::string> names = names_to_sign(section);
  const std::size_t room = max_signed_names - names.size();
  names.insert(names.end(), std::min(room, section.count("DKIM-Signature")), "DKIM-Signature");
  return names;
}

std::optional<std::string> seal(const mail::HeaderSection& section, const SealRequest& request, const Signer& signer) {
  ensure(!request.body.digest.empty(), "seal: no body hash");
  ensure(request.validation != ChainValidation::pass || !request.chain.sets.empty(), "seal: no chain that could pass");
  if (request.chain.ended || request.chain.highest >= max_arc_instance) return std::nullopt;
  const std::string instance = std::to_string(request.chain.highest + 1);

  std::string results = "ARC-Authentication-Results: i=" + instance + ';';
  results += request.results;
  results += "\r\n";
  FieldWriter field("ARC-Message-Signature");
  field.add("i", instance);
  add_message_tags(field, request.body, request.form, signer);
  const std::string message = sign_message(field, section, request.form, signer.key);
  return make_seal(request, instance, results, message, signer) + message + results;
}

}  // namespace sallyport::signature
