#include "gateway/signature/key_record.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gateway/base/base64.h"
#include "gateway/base/domain_name.h"
#include "gateway/signature/tag_list.h"

namespace sallyport::signature {

namespace {

bool lists(std::string_view colon_list, std::string_view word) {
  const std::vector<std::string_view> words = split_colons(colon_list);
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view words_of(crypto::KeyFault fault) {
  switch (fault) {
    case crypto::KeyFault::too_small:
      return "RSA key under 1024 bits";
    case crypto::KeyFault::too_large:
      return "RSA key over 8192 bits";
    case crypto::KeyFault::bad_exponent:
      return "unusable exponent in RSA key";
    case crypto::KeyFault::malformed:
      break;
  }
  return "key is malformed";
}

// What is wrong with the record apart from the key itself; empty if nothing is.
std::string_view problem_of(const TagList& tags) {
  // The version is optional. RFC 6376, 3.6.1, wants it in front, but keys are in use that have it elsewhere (D15).
  if (const auto version = tags.value("v"); version && version != "DKIM1") return "unknown version of key record";
  if (const auto hashes = tags.value("h"); hashes && !lists(*hashes, "sha256")) return "key is not for sha256";
  if (const auto services = tags.value("s"); services && !lists(*services, "*") && !lists(*services, "email"))
    return "key is not for email";
  return {};
}

void read_key(const TagList& tags, KeyRecord& record) {
  const std::string_view type = tags.value("k").value_or("rsa");
  const auto text = tags.value("p");
  if (!text) {
    record.problem = "no p= tag in key record";
    return;
  }
  if (text->empty()) {
    record.problem = "key revoked";
    return;
  }
  const auto octets = from_base64(*text, max_key_record_octets, Padding::optional);
  if (!octets) {
    record.problem = "key is not base64";
    return;
  }
  if (type != "rsa" && type != "ed25519") {
    record.problem = "unknown key type";
    return;
  }
  auto key = type == "rsa" ? crypto::PublicKey::read_rsa(*octets) : crypto::PublicKey::read_ed25519(*octets);
  if (key) {
    record.key = std::move(*key);
  } else {
    record.problem = words_of(key.error());
  }
}

}  // namespace

KeyRecord parse_key_record(std::string_view text) {
  KeyRecord record;
  if (text.size() > max_key_record_octets) {
    record.problem = "key record over 4096 octets";
    return record;
  }
  const auto tags = TagList::parse(text);
  if (!tags) {
    record.problem = "syntax error in key record";
    return record;
  }
  if (const auto flags = tags->value("t")) {
    record.testing = lists(*flags, "y");
    record.strict_identity = lists(*flags, "s");
  }
  record.problem = problem_of(*tags);
  if (record.problem.empty()) read_key(*tags, record);
  return record;
}

std::optional<std::string> key_record_name(const Signature& signature) {
  std::string name = signature.selector + "._domainkey." + signature.domain;
  if (!is_domain_name(name)) return std::nullopt;
  return name;
}

crypto::KeyType key_type(Algorithm algorithm) {
  return algorithm == Algorithm::ed25519_sha256 ? crypto::KeyType::ed25519 : crypto::KeyType::rsa;
}

}  // namespace sallyport::signature
