// Allocations that fail on order: operator new's, those of coroutine frames, of OpenSSL and of the Lua engine.
//
// Linked into a program, it takes the place of all of these. They behave as ever until a Failing lives, and even then
// wherever an Exempt lives: what a test does for itself, or what its doubles do in the gateway's turn, has memory. For
// programs of one thread.
#pragma once

#include <cstdint>

namespace sallyport::exhaustion {

// Which allocations fail, counted from 1: the first-th, and if `every` is not 0 each every-th after it.
struct Plan {
  std::uint64_t first = UINT64_MAX;
  std::uint64_t every = 0;
};

class Failing {
 public:
  explicit Failing(Plan plan);
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;
  ~Failing();

  std::uint64_t allocations() const;  // asked for so far, the failed ones too
  std::uint64_t failures() const;
};

class Exempt {
 public:
  Exempt();
  Exempt(const Exempt&) = delete;
  Exempt& operator=(const Exempt&) = delete;
  ~Exempt();
};

}  // namespace sallyport::exhaustion
