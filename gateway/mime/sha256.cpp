#include "gateway/mime/sha256.h"

#include <algorithm>

#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"

namespace sallyport::mime {

const Sha256::Octets& Sha256::octets() const {
  if (!kept_) return octets_;
  if (!kept_->octets) {
    const std::string digest = crypto::sha256(kept_->content);
    kept_->octets.emplace();
    std::copy(digest.begin(), digest.end(), kept_->octets->begin());
  }
  return *kept_->octets;
}

bool operator==(const Sha256& a, const Sha256& b) {
  // Equal content has an equal digest, and there is no need to make it.
  if (a.kept_ && b.kept_) return a.kept_ == b.kept_ || a.kept_->content == b.kept_->content;
  return a.octets() == b.octets();
}

std::string to_field_text(const Sha256& digest) {
  const Sha256::Octets& octets = digest.octets();
  return text::to_hex({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

bool from_field_text(std::string_view hex, Sha256& digest) {
  const auto octets = text::from_hex(hex);
  Sha256::Octets read{};
  if (!octets || octets->size() != read.size()) return false;
  std::copy(octets->begin(), octets->end(), read.begin());
  digest = Sha256(read);
  return true;
}

}  // namespace sallyport::mime
