// Canonical forms as text, for tests to compare.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/mail/header.h"
#include "gateway/signature/canonical.h"

namespace sallyport::signature {

inline std::string canonical_fields(std::string_view octets, Canonicalization how) {
  const mail::HeaderSection section(octets);
  std::string out;
  for (const mail::HeaderField& field : section.fields()) append_canonical(out, field, how);
  return out;
}

inline std::vector<std::string> pieces_of(std::string_view octets, std::size_t size) {
  std::vector<std::string> pieces;
  for (; !octets.empty(); octets.remove_prefix(std::min(size, octets.size())))
    pieces.emplace_back(octets.substr(0, size));
  return pieces;
}

inline std::string canonical_body(const std::vector<std::string>& pieces, Canonicalization how) {
  class Collector final : public OctetSink {
   public:
    void take(std::string_view octets) override { all += octets; }
    std::string all;
  };
  Collector collector;
  BodyCanonicalizer canonicalizer(how, collector);
  for (const std::string& piece : pieces) canonicalizer.feed(piece);
  canonicalizer.end();
  return collector.all;
}

}  // namespace sallyport::signature
