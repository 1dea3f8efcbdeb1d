// Signature: the parsed form of a DKIM-Signature (RFC 6376, 3.5; RFC 8301, 8463, 8616) or an ARC-Message-Signature (RFC
// 8617, 4.1.2).
//
// The fields are untrusted: parsing is bounded and linear. Any deviation from the syntax is a problem, and such a
// signature is never verified; the tags that could be read are set all the same, for reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/signature/body_hash.h"
#include "gateway/signature/canonical.h"
#include "gateway/signature/tag_list.h"

namespace sallyport::signature {

enum class Algorithm : std::uint8_t {
  rsa_sha256,
  ed25519_sha256,
  rsa_sha1,  // parsed, so that it can be refused by name (RFC 8301, 3.1)
};

std::string_view name(Algorithm algorithm);
std::optional<Algorithm> parse_algorithm(std::string_view text);

inline constexpr std::size_t max_signed_names = 200;  // in h= (threats.md D19)

struct Signature {
  std::string_view problem;  // why it cannot be verified, in our own words; empty if it can

  std::optional<Algorithm> algorithm;
  std::string value;      // b=, decoded
  std::string body_hash;  // bh=, decoded
  Canonicalization header = Canonicalization::simple;
  BodyForm body;
  std::string domain;    // d=, A-labels, lower case
  std::string selector;  // s=, A-labels, lower case
  std::string identity;  // DKIM only: i=, or "@" and d=; printable
  std::string identity_domain;
  std::vector<std::string_view> signed_names;  // h=
  std::optional<std::uint64_t> signed_at;      // t=, seconds since 1970
  std::optional<std::uint64_t> expires_at;     // x=
  std::string_view raw_value;                  // b= as written in the field, with its white space

  bool is_well_formed() const { return problem.empty(); }
};

// `value` is the field's value; the result's views point into it.
Signature parse_dkim_signature(std::string_view value);
// i= is the instance here, which arc_chain.cpp reads; a v= is ignored.
Signature parse_arc_message_signature(const TagList& tags);

// Reads the tags common to DKIM-Signature and the ARC fields: a= b= d= s= t= x=.
void read_common_tags(const TagList& tags, Signature& signature);

}  // namespace sallyport::signature
