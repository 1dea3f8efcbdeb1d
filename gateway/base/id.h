// Transaction ids: 16 characters of Crockford base32, sortable by time (to the millisecond), unique within a process
// and, but for chance, across processes. They are what a log line, a reply and a header field have in common. They are
// no secret.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sallyport {

class IdSource {
 public:
  // One per worker; `seed` (random) separates workers and runs.
  explicit IdSource(std::uint64_t seed);
  std::string next(std::chrono::system_clock::time_point now);

 private:
  std::uint64_t state_;
};

// 64 bits from the kernel's random source.
std::uint64_t random_seed();

}  // namespace sallyport
