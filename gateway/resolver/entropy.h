// Entropy: random numbers nobody outside can foresee, from the kernel, fetched by the block.
//
// A guessed query id is a forged answer (RFC 5452), so they come from getrandom(2) and never from a generator whose
// state its output gives away. A system call per number would cost as much as the rest of a question's preparation.
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
