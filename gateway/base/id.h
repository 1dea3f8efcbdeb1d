// IdSource: makes transaction ids: 16 characters of Crockford base32, sortable by time (to the millisecond), unique
// within a process and, with high probability, across processes. Log line, reply and header field of a mail carry the
// same id. Ids are not secret.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sallyport {

class IdSource {
 public:
  // One per worker, used by its thread only. `seed` must be random, so that workers and runs differ.
  explicit IdSource(std::uint64_t seed);
  std::string next(std::chrono::system_clock::time_point now);

 private:
  std::uint64_t state_;
};

// 64 bits from the kernel's random source.
std::uint64_t random_seed();

}  // namespace sallyport
