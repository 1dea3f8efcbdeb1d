#include "gateway/resolver/keyed_hash.h"

#include "gateway/base/sip_hash.h"

namespace sallyport::resolver {

std::uint64_t KeyedHash::operator()(const dns::Question& question) const noexcept {
  SipHash<1, 3> hash(HashKey{key0_, key1_});
  hash.add(question.name);
  hash.add(static_cast<std::uint64_t>(question.type));
  return hash.finish();
}

}  // namespace sallyport::resolver
