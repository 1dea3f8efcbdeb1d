// BodyHasher: computes the body digests that a mail's signatures need (RFC 6376, 3.7), while the body streams past.
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

// One requested digest: of the whole canonical body, or of its first `length` octets (l=).
struct BodyForm {
  Canonicalization canonicalization = Canonicalization::simple;
  std::optional<std::uint64_t> length;

  friend bool operator==(const BodyForm&, const BodyForm&) = default;
};

struct BodyHash {
  BodyForm form;
  std::string digest;                  // SHA-256; empty if the body is shorter than `length`
  std::uint64_t canonical_octets = 0;  // length of the whole canonical body
};

// feed() takes the body in pieces of any size. However many digests are requested, the body is canonicalized and hashed
// once per canonicalization; a digest for a length is read off on the way (threats.md D20).
class BodyHasher {
 public:
  explicit BodyHasher(const std::vector<BodyForm>& forms);
  BodyHasher(BodyHasher&&) noexcept;
  BodyHasher& operator=(BodyHasher&&) noexcept;
  ~BodyHasher();

  void feed(std::string_view octets);
  // Call it once, at the end of the body: gives one hash per distinct form.
  std::vector<BodyHash> finish();

 private:
  class Way;
  std::vector<std::unique_ptr<Way>> ways_;
};

// The hash of a body that is all at hand.
BodyHash hash_body(std::string_view body, const BodyForm& form);

}  // namespace sallyport::signature
