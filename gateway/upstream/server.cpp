#include "gateway/upstream/server.h"

#include <algorithm>
#include <limits>

#include "gateway/base/text.h"

namespace sallyport::upstream {

namespace {

using std::chrono::seconds;

// How long a server that failed is passed over; it is used again within 5 s of its return (threats.md U16).
constexpr Duration breaker_pause = seconds(2);
// So many transactions in a row that are broken off are the server's fault.
constexpr std::uint32_t failures_of_a_server = 5;
// How long others are preferred to a server that refuses mail: doubled with each refusal in a row.
constexpr Duration first_avoidance = seconds(2);
constexpr std::uint32_t most_doublings = 5;
// The bound of a full server grows by one in this time.
constexpr Duration growth_interval = seconds(5);
// A server that was full, and has not said so again for this long, is up.
constexpr Duration full_for = seconds(30);
// A full server of which we have no connection is tried again after this.
constexpr Duration none_left_pause = std::chrono::milliseconds(200);
constexpr Duration no_tls_for = std::chrono::minutes(1);
constexpr std::size_t most_of_a_reason = 200;
constexpr std::uint64_t unbounded = std::numeric_limits<std::uint64_t>::max();

enum Extension : std::uint32_t {
  known = 1u << 0,
  eight_bit_mime = 1u << 1,
  smtputf8 = 1u << 2,
  dsn = 1u << 3,
  requiretls = 1u << 4,
  size = 1u << 5,
};

Duration::rep count_of(Time time) { return time.time_since_epoch().count(); }

// Most mails find nothing to change: a shared cache line is not written to for them.
template <class T>
void set_if_other(std::atomic<T>& value, T next) {
  if (value.load(std::memory_order_relaxed) != next) value.store(next, std::memory_order_relaxed);
}

}  // namespace

std::string_view name(ServerState state) {
  switch (state) {
    case ServerState::unknown:
      return "unknown";
    case ServerState::up:
      return "up";
    case ServerState::full:
      return "full";
    case ServerState::down:
      break;
  }
  return "down";
}

ServerStatus UpstreamServer::status(Time now) const {
  ServerStatus status;
  {
    std::lock_guard lock(mutex_);
    status.state = state_.load(std::memory_order_relaxed);
    status.since = since_;
    status.reason = reason_;
  }
  status.connections = connections();
  const std::uint64_t most = bound(now);
  if (most != unbounded) status.bound = most;
  const Time bounded_at(Duration(bounded_at_.load(std::memory_order_relaxed)));
  if (status.state == ServerState::full && now - bounded_at > full_for) {
    status.state = ServerState::up;
    status.since = bounded_at + full_for;
  }
  return status;
}

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

bool UpstreamServer::enter(ServerState state, Time now, std::string_view reason) {
  std::lock_guard lock(mutex_);
  const ServerState before = state_.load(std::memory_order_relaxed);
  if (!reason.empty()) reason_ = text::printable(reason, most_of_a_reason);
  if (before == state) return false;
  state_.store(state, std::memory_order_relaxed);
  since_ = now;
  return true;
}

bool UpstreamServer::connected(Time now) {
  set_if_other(down_until_, Duration::rep{0});
  last_success_.store(count_of(now), std::memory_order_relaxed);
  // Whether it serves the mails that it connects for, is for served() to say.
  if (failed_in_a_row_.load(std::memory_order_relaxed) >= failures_of_a_server) return false;
  const ServerState before = state_.load(std::memory_order_relaxed);
  if (before != ServerState::unknown && before != ServerState::down) return false;
  return enter(ServerState::up, now, {}) && before == ServerState::down;
}

bool UpstreamServer::failed_to_connect(Time now, std::string_view reason, bool for_want_of_tls) {
  lacks_tls_.store(for_want_of_tls, std::memory_order_relaxed);
  down_until_.store(count_of(now + breaker_pause), std::memory_order_relaxed);
  return enter(ServerState::down, now, reason);
}

bool UpstreamServer::is_full(Time now, std::string_view reason) {
  const std::uint64_t ours = connections();
  bound_.store(ours == 0 ? 0 : ours - 1, std::memory_order_relaxed);
  const Time before(Duration(bounded_at_.exchange(count_of(now), std::memory_order_relaxed)));
  const bool is_news = before == Time{} || now - before > full_for;
  return enter(ServerState::full, now, reason) || is_news;
}

bool UpstreamServer::served(Time now) {
  last_success_.store(count_of(now), std::memory_order_relaxed);
  set_if_other(failed_in_a_row_, 0u);
  set_if_other(refused_in_a_row_, 0u);
  set_if_other(avoided_until_, Duration::rep{0});
  if (state_.load(std::memory_order_relaxed) != ServerState::down) return false;
  // A kept connection that serves says nothing of new ones, which fail.
  return !is_down(now) && enter(ServerState::up, now, {});
}

bool UpstreamServer::failed_to_serve(Time now, std::string_view reason) {
  refused_for_now(now);
  if (failed_in_a_row_.fetch_add(1, std::memory_order_relaxed) + 1 < failures_of_a_server) return false;
  return enter(ServerState::down, now, reason);
}

void UpstreamServer::refused_for_now(Time now) {
  const std::uint32_t before = refused_in_a_row_.fetch_add(1, std::memory_order_relaxed);
  const Duration pause = first_avoidance * (1u << std::min(before, most_doublings));
  avoided_until_.store(count_of(now + pause), std::memory_order_relaxed);
}

void UpstreamServer::answered_after(Duration latency) {
  const Duration::rep before = latency_.load(std::memory_order_relaxed);
  set_if_other(latency_, before + (latency.count() - before) / 8);
}

std::uint64_t UpstreamServer::bound(Time now) const {
  const Duration::rep bounded_at = bounded_at_.load(std::memory_order_relaxed);
  if (bounded_at == 0) return unbounded;
  const Duration since = now - Time(Duration(bounded_at));
  const auto grown = static_cast<std::uint64_t>(std::max<Duration::rep>(0, since / growth_interval));
  const std::uint64_t at_first = bound_.load(std::memory_order_relaxed);
  return std::max<std::uint64_t>(at_first, since < none_left_pause ? 0 : 1) + grown;
}

bool UpstreamServer::acquire_slot(std::uint64_t most, Time now) {
  most = std::min(most, bound(now));
  std::uint64_t taken = connections_.load();
  while (taken < most) {
    if (connections_.compare_exchange_weak(taken, taken + 1)) return true;
  }
  return false;
}

void UpstreamServer::tls_has_failed(Time now) {
  no_tls_until_.store(count_of(now + no_tls_for), std::memory_order_relaxed);
}

}  // namespace sallyport::upstream
