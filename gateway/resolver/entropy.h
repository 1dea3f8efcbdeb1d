// Entropy: unpredictable random numbers from the kernel, fetched in blocks of 256 octets. One per resolver, not
// thread-safe.
//
// Whoever guesses a query's id can forge its answer (RFC 5452), so the numbers come from getrandom(2) and never from a
// generator whose output reveals its state. One system call per number would cost as much as the rest of preparing a
// question.
#pragma once

#include <array>
#include <cstdint>

namespace sallyport::resolver {

class Entropy {
 public:
  std::uint64_t next();

 private:
  std::array<std::uint64_t, 32> block_{};
  std::size_t left_ = 0;
};

}  // namespace sallyport::resolver
