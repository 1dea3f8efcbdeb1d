// Key records out of a stranger's DNS (threats.md D15): tag list, base64, DER. A key that is taken is within the
// limits, and can be verified with.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/base64.h"
#include "gateway/base/ensure.h"
#include "gateway/crypto/public_key.h"
#include "gateway/signature/key_record.h"

namespace {

using namespace sallyport;

void check_key(const crypto::PublicKey& key) {
  const bool is_rsa = key.type() == crypto::KeyType::rsa;
  ensure(is_rsa ? key.bits() >= crypto::min_rsa_bits && key.bits() <= crypto::max_rsa_bits : key.bits() == 256,
         "a key outside the limits");
  ensure(!key.verify(std::string(32, 'd'), std::string(is_rsa ? key.bits() / 8 : 64, 's')), "a signature by chance");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const signature::KeyRecord record = signature::parse_key_record(octets);
  ensure(record.key.has_value() == record.problem.empty(), "a key with a problem, or none without one");
  if (record.key) check_key(*record.key);
  // The DER itself, without what is around it.
  if (auto key = crypto::PublicKey::read_rsa(octets)) check_key(*key);
  if (const auto decoded = from_base64(octets))
    ensure(from_base64(to_base64(*decoded)) == decoded, "base64 is not itself");
  return 0;
}
