#include "gateway/base/id.h"

#include <sys/random.h>

#include <cerrno>
#include <string_view>

#include "gateway/base/ensure.h"

namespace sallyport {

namespace {

// 80 bits: 42 bits of milliseconds since 1970 (until 2109) and 38 bits that differ within a millisecond.
constexpr unsigned tail_bits = 38;
constexpr std::uint64_t tail_mask = (std::uint64_t{1} << tail_bits) - 1;
// Adding an odd number visits all 2^38 tails before one repeats, so a source does not repeat an id even if the wall
// clock is set back. Sources with other seeds visit the same cycle from random places.
constexpr std::uint64_t stride = 0x9e3779b97f4a7c15;

constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t id_length = 16;

}  // namespace

IdSource::IdSource(std::uint64_t seed) : state_(seed) {}

std::string IdSource::next(std::chrono::system_clock::time_point now) {
  using std::chrono::milliseconds;
  auto ms = static_cast<std::uint64_t>(std::chrono::floor<milliseconds>(now.time_since_epoch()).count());
  state_ += stride;
  std::uint64_t tail = state_ & tail_mask;
  // The low 40 bits give eight characters, the high 40 bits the other eight.
  std::uint64_t low = ((ms << tail_bits) | tail) & ((std::uint64_t{1} << 40) - 1);
  std::uint64_t high = ms >> (40 - tail_bits);
  std::string id(id_length, '0');
  for (std::size_t i = 0; i < 8; ++i) {
    id[15 - i] = crockford[(low >> (5 * i)) & 31];
    id[7 - i] = crockford[(high >> (5 * i)) & 31];
  }
  return id;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  ssize_t got;
  do {
    got = ::getrandom(&seed, sizeof seed, 0);
  } while (got < 0 && errno == EINTR);
  ensure(got == sizeof seed, "getrandom gave no seed");
  return seed;
}

}  // namespace sallyport
