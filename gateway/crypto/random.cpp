#include "gateway/crypto/random.h"

#include <openssl/rand.h>

#include "gateway/base/ensure.h"

namespace sallyport::crypto {

std::string random_octets(std::size_t count) {
  std::string octets(count, '\0');
  int result = RAND_bytes_ex(nullptr, reinterpret_cast<unsigned char*>(octets.data()), count, 0);
  ensure(result == 1, "no random octets");
  return octets;
}

}  // namespace sallyport::crypto
