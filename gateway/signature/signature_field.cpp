#include "gateway/signature/signature_field.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/base/a_labels.h"
#include "gateway/base/base64.h"
#include "gateway/base/field_name.h"
#include "gateway/base/text.h"
#include "gateway/crypto/public_key.h"

namespace sallyport::signature {

namespace {

constexpr std::size_t max_identity_octets = 320;

constexpr std::array<std::pair<std::string_view, Algorithm>, 3> algorithms{{
    {"rsa-sha256", Algorithm::rsa_sha256},
    {"ed25519-sha256", Algorithm::ed25519_sha256},
    {"rsa-sha1", Algorithm::rsa_sha1},
}};

// Keeps the first problem only.
void note(Signature& signature, std::string_view problem) {
  if (signature.problem.empty()) signature.problem = problem;
}

std::optional<Canonicalization> parse_canonicalization(std::string_view word) {
  if (word == "simple") return Canonicalization::simple;
  if (word == "relaxed") return Canonicalization::relaxed;
  return std::nullopt;
}

// Parses at most `most_digits` digits; a number beyond 64 bits becomes UINT64_MAX.
std::optional<std::uint64_t> parse_digits(std::string_view digits, std::size_t most_digits) {
  if (digits.empty() || digits.size() > most_digits) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), text::is_digit)) return std::nullopt;
  return text::to_number(digits).value_or(UINT64_MAX);
}

// A final dot is not allowed (RFC 6376, 3.5: domain-name).
std::optional<std::string> parse_domain(std::string_view text) {
  if (text.ends_with('.')) return std::nullopt;
  return to_a_labels(text);
}

bool is_or_lies_below(std::string_view domain, std::string_view parent) {
  if (domain == parent) return true;
  return domain.size() > parent.size() && domain.ends_with(parent) && domain[domain.size() - parent.size() - 1] == '.';
}

std::size_t body_hash_octets(Algorithm algorithm) { return algorithm == Algorithm::rsa_sha1 ? 20 : 32; }

bool fits(Algorithm algorithm, std::size_t signature_octets) {
  if (algorithm == Algorithm::ed25519_sha256) return signature_octets == 64;
  // Also accepts signatures of keys that are too small, so that the report names the key as the problem.
  return signature_octets >= 32 && signature_octets <= crypto::max_rsa_bits / 8;
}

void read_algorithm(const TagList& tags, Signature& signature) {
  const auto text = tags.value("a");
  if (!text) return note(signature, "no a= tag");
  signature.algorithm = parse_algorithm(*text);
  if (!signature.algorithm) note(signature, "unknown algorithm");
}

void read_value(const TagList& tags, Signature& signature) {
  const Tag* tag = tags.find("b");
  if (!tag) return note(signature, "no b= tag");
  signature.raw_value = tag->raw;
  auto octets = from_base64(tag->value, crypto::max_rsa_bits / 8, Padding::optional);
  if (!octets || octets->empty()) return note(signature, "b= is no signature");
  signature.value = std::move(*octets);
  if (signature.algorithm && !fits(*signature.algorithm, signature.value.size()))
    note(signature, "b= does not fit the algorithm");
}

void read_names(const TagList& tags, Signature& signature) {
  const auto domain = tags.value("d");
  const auto selector = tags.value("s");
  if (!domain) note(signature, "no d= tag");
  if (!selector) note(signature, "no s= tag");
  if (domain) {
    auto a_labels = parse_domain(*domain);
    if (!a_labels) note(signature, "d= is no domain name");
    signature.domain = std::move(a_labels).value_or("");
  }
  if (selector) {
    auto a_labels = parse_domain(*selector);
    if (!a_labels) note(signature, "s= is no selector");
    signature.selector = std::move(a_labels).value_or("");
  }
}

void read_times(const TagList& tags, Signature& signature) {
  constexpr std::size_t max_time_digits = 12;
  if (const auto text = tags.value("t")) {
    signature.signed_at = parse_digits(*text, max_time_digits);
    if (!signature.signed_at) note(signature, "t= is no time");
  }
  if (const auto text = tags.value("x")) {
    signature.expires_at = parse_digits(*text, max_time_digits);
    if (!signature.expires_at) note(signature, "x= is no time");
  }
  if (signature.signed_at && signature.expires_at && *signature.expires_at <= *signature.signed_at)
    note(signature, "x= is not after t=");
}

void read_body_hash(const TagList& tags, Signature& signature) {
  const auto text = tags.value("bh");
  if (!text) return note(signature, "no bh= tag");
  const std::size_t octets = signature.algorithm ? body_hash_octets(*signature.algorithm) : 32;
  auto hash = from_base64(*text, octets, Padding::optional);
  if (!hash || hash->size() != octets) return note(signature, "bh= is no body hash of the algorithm");
  signature.body_hash = std::move(*hash);
}

void read_canonicalization(const TagList& tags, Signature& signature) {
  const auto text = tags.value("c");
  if (!text) return;
  const std::size_t slash = text->find('/');
  const auto header = parse_canonicalization(text->substr(0, slash));
  const auto body =
      slash == std::string_view::npos ? Canonicalization::simple : parse_canonicalization(text->substr(slash + 1));
  if (!header || !body) return note(signature, "unknown canonicalization");
  signature.header = *header;
  signature.body.canonicalization = *body;
}

void read_length(const TagList& tags, Signature& signature) {
  constexpr std::size_t max_length_digits = 76;
  const auto text = tags.value("l");
  if (!text) return;
  signature.body.length = parse_digits(*text, max_length_digits);
  if (!signature.body.length) note(signature, "l= is no length");
}

void read_query_methods(const TagList& tags, Signature& signature) {
  const auto text = tags.value("q");
  if (!text) return;
  const std::vector<std::string_view> methods = split_colons(*text);
  if (std::find(methods.begin(), methods.end(), "dns/txt") == methods.end()) note(signature, "no known query method");
}

bool names(const Signature& signature, std::string_view field) {
  return std::any_of(signature.signed_names.begin(), signature.signed_names.end(),
                     [field](std::string_view name) { return text::equals_ignoring_case(name, field); });
}

// i=: a local part in quoted-printable and a domain equal to d= or below it (RFC 6376, 3.5).
void read_identity(const TagList& tags, Signature& signature) {
  signature.identity = '@' + signature.domain;
  signature.identity_domain = signature.domain;
  const auto text = tags.value("i");
  if (!text) return;
  const std::size_t at = text->rfind('@');
  if (at == std::string_view::npos || text->size() > max_identity_octets) return note(signature, "i= is no identity");
  auto domain = parse_domain(text->substr(at + 1));
  if (!domain) return note(signature, "i= is no identity");
  if (!is_or_lies_below(*domain, signature.domain)) return note(signature, "i= lies outside d=");
  signature.identity = text::printable(text->substr(0, at), max_identity_octets) + '@' + *domain;
  signature.identity_domain = std::move(*domain);
}

// Reads h=. DKIM requires From among the names, which the caller tests.
void read_signed_names(const TagList& tags, Signature& signature) {
  const auto text = tags.value("h");
  if (!text) return note(signature, "no h= tag");
  // Counted before any are stored.
  if (static_cast<std::size_t>(std::count(text->begin(), text->end(), ':')) >= max_signed_names)
    return note(signature, "h= has more than 200 names");
  signature.signed_names = split_colons(*text);
  for (std::string_view name : signature.signed_names) {
    if (!is_field_name(name) && !name.empty()) return note(signature, "h= is no list of field names");
  }
  // A colon at the end, or two in a row: no field has such a name, so that nothing is signed by it.
  std::erase(signature.signed_names, std::string_view());
}

void read_message_tags(const TagList& tags, Signature& signature) {
  read_body_hash(tags, signature);
  read_canonicalization(tags, signature);
  read_length(tags, signature);
  read_query_methods(tags, signature);
}

}  // namespace

std::string_view name(Algorithm algorithm) { return algorithms[std::size_t(algorithm)].first; }

std::optional<Algorithm> parse_algorithm(std::string_view text) {
  for (const auto& [name, algorithm] : algorithms) {
    if (text == name) return algorithm;
  }
  return std::nullopt;
}

void read_common_tags(const TagList& tags, Signature& signature) {
  read_names(tags, signature);
  read_algorithm(tags, signature);
  read_value(tags, signature);
  read_times(tags, signature);
}

Signature parse_dkim_signature(std::string_view value) {
  Signature signature;
  const auto tags = TagList::parse(value);
  if (!tags) {
    signature.problem = "syntax error";
    return signature;
  }
  const auto version = tags->value("v");
  if (version != "1") note(signature, version ? "unknown version" : "no v= tag");
  read_common_tags(*tags, signature);
  read_message_tags(*tags, signature);
  read_identity(*tags, signature);
  read_signed_names(*tags, signature);
  if (!names(signature, "from")) note(signature, "h= lacks From");
  return signature;
}

Signature parse_arc_message_signature(const TagList& tags) {
  Signature signature;
  // Without c=, RFC 8617 keeps DKIM's default of simple/simple; but ARC verifiers and the ARC test suite take it as
  // relaxed/relaxed.
  signature.header = Canonicalization::relaxed;
  signature.body.canonicalization = Canonicalization::relaxed;
  read_common_tags(tags, signature);
  read_message_tags(tags, signature);
  read_signed_names(tags, signature);
  // The seal is made after the message signature and covers it, so the signature cannot cover the seal (RFC 8617,
  // 4.1.2).
  if (names(signature, "arc-seal")) note(signature, "h= names ARC-Seal");
  return signature;
}

}  // namespace sallyport::signature
