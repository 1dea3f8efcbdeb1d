#include "gateway/resolver/entropy.h"

#include <sys/random.h>

#include <utility>

#include "gateway/base/ensure.h"

namespace sallyport::resolver {

std::uint64_t Entropy::next() {
  if (left_ == 0) {
    // getrandom(2) gives up to 256 octets either completely or not at all.
    static_assert(sizeof(block_) <= 256);
    ensure(getrandom(block_.data(), sizeof(block_), 0) == ssize_t{sizeof(block_)}, "the kernel gives no random octets");
    left_ = block_.size();
  }
  // A number that was handed out is not kept in memory.
  return std::exchange(block_[--left_], 0);
}

}  // namespace sallyport::resolver
