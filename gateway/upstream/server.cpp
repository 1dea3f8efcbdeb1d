#include "gateway/upstream/server.h"

namespace sallyport::upstream {

namespace {

// How long a server that failed is passed over; it is used again within 5 s of its return (threats.md U16).
constexpr Duration breaker_pause = std::chrono::seconds(2);

enum Extension : std::uint32_t {
  known = 1u << 0,
  eight_bit_mime = 1u << 1,
  smtputf8 = 1u << 2,
  dsn = 1u << 3,
  requiretls = 1u << 4,
  size = 1u << 5,
};

}  // namespace

std::optional<smtp::Extensions> UpstreamServer::extensions() const {
  std::uint32_t bits = extensions_.load(std::memory_order_acquire);
  if (!(bits & known)) return std::nullopt;
  smtp::Extensions extensions;
  extensions.eight_bit_mime = bits & eight_bit_mime;
  extensions.smtputf8 = bits & smtputf8;
  extensions.dsn = bits & dsn;
  extensions.requiretls = bits & requiretls;
  extensions.size = bits & size;
  extensions.max_size = max_size_.load(std::memory_order_relaxed);
  return extensions;
}

void UpstreamServer::learned(const smtp::Extensions& extensions) {
  std::uint32_t bits = known;
  if (extensions.eight_bit_mime) bits |= eight_bit_mime;
  if (extensions.smtputf8) bits |= smtputf8;
  if (extensions.dsn) bits |= dsn;
  if (extensions.requiretls) bits |= requiretls;
  if (extensions.size) bits |= size;
  max_size_.store(extensions.max_size, std::memory_order_relaxed);
  extensions_.store(bits, std::memory_order_release);
}

void UpstreamServer::failed(Time now, bool for_want_of_tls) {
  lacks_tls_.store(for_want_of_tls, std::memory_order_relaxed);
  down_until_.store((now + breaker_pause).time_since_epoch().count(), std::memory_order_relaxed);
}

void UpstreamServer::succeeded(Time now) {
  down_until_.store(0, std::memory_order_relaxed);
  last_success_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

bool UpstreamServer::acquire_slot(std::uint64_t most) {
  std::uint64_t taken = connections_.load(std::memory_order_relaxed);
  while (taken < most) {
    if (connections_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

}  // namespace sallyport::upstream
