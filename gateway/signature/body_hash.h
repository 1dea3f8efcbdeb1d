// The digests of a body that its signatures ask for (RFC 6376, 3.7), computed while the body streams past.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/crypto/digest.h"
#include "gateway/signature/canonical.h"

namespace sallyport::signature {

// One digest that is asked for: of the canonical body, or of its first `length` octets (l=).
struct BodyForm {
  Canonicalization canonicalization = Canonicalization::simple;
  std::optional<std::uint64_t> length;

  friend bool operator==(const BodyForm&, const BodyForm&) = default;
};

struct BodyHash {
  BodyForm form;
  std::string digest;                  // SHA-256; empty when the body is shorter than the length asked for
  std::uint64_t canonical_octets = 0;  // of the whole body, whatever length was asked for
};

// Feed it the body in pieces of any size. However many digests are asked for, the body is canonicalized and hashed once
// for each of the two canonicalizations: a length is a mark on the way (threats.md D20).
class BodyHasher {
 public:
  explicit BodyHasher(const std::vector<BodyForm>& forms);
  BodyHasher(BodyHasher&&) noexcept;
  BodyHasher& operator=(BodyHasher&&) noexcept;
  ~BodyHasher();

  void feed(std::string_view octets);
  // The body has ended: one answer for each distinct form. To be called once.
  std::vector<BodyHash> finish();

 private:
  class Way;
  std::vector<std::unique_ptr<Way>> ways_;
};

// Of a body that is all there.
BodyHash hash_body(std::string_view body, const BodyForm& form);

}  // namespace sallyport::signature
