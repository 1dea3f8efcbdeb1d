#include "gateway/state/session_table.h"

#include <functional>

namespace sallyport::state {

namespace {
constexpr std::size_t shard_count = 16;
}

class SessionTable::TakenSlot final : public Slot {
 public:
  TakenSlot(SessionTable& table, const IpAddress& network) : table_(table), network_(network) {}
  TakenSlot(const TakenSlot&) = delete;
  TakenSlot& operator=(const TakenSlot&) = delete;
  ~TakenSlot() override {
    if (is_taken_) table_.leave(network_);
  }
  bool take(Share share) { return is_taken_ = table_.enter(network_, share); }

 private:
  SessionTable& table_;
  const IpAddress network_;
  bool is_taken_ = false;
};

class SessionTable::MailSlot final : public Slot {
 public:
  MailSlot(SessionTable& table, std::uint64_t tenant) : table_(table), tenant_(tenant) {}
  MailSlot(const MailSlot&) = delete;
  MailSlot& operator=(const MailSlot&) = delete;
  ~MailSlot() override {
    if (!is_taken_) return;
    const std::lock_guard lock(table_.mails_mutex_);
    const auto found = table_.mails_.find(tenant_);
    if (found != table_.mails_.end() && --found->second == 0) table_.mails_.erase(found);
  }
  bool take() {
    const std::uint64_t half = (table_.most_sessions() + 1) / 2;
    const std::lock_guard lock(table_.mails_mutex_);
    std::uint64_t& mails = table_.mails_[tenant_];
    is_taken_ = mails < half;
    if (is_taken_) ++mails;
    return is_taken_;
  }

 private:
  SessionTable& table_;
  const std::uint64_t tenant_;
  bool is_taken_ = false;
};

std::unique_ptr<io::SessionSlots::Slot> SessionTable::take_for_mail(std::uint64_t tenant) {
  auto slot = std::make_unique<MailSlot>(*this, tenant);
  if (!slot->take()) return nullptr;
  return slot;
}

SessionTable::SessionTable(SessionLimits limits)
    : max_sessions_(limits.sessions),
      max_per_client_(limits.sessions_per_ip),
      shards_(std::make_unique<Shard[]>(shard_count)) {}

SessionTable::~SessionTable() = default;

std::unique_ptr<io::SessionSlots::Slot> SessionTable::take(const IpAddress& client, Share share) {
  auto slot = std::make_unique<TakenSlot>(*this, client_network(client));
  if (!slot->take(share)) return nullptr;
  return slot;
}

void SessionTable::set_limits(SessionLimits limits) {
  max_sessions_.store(limits.sessions, std::memory_order_relaxed);
  max_per_client_.store(limits.sessions_per_ip, std::memory_order_relaxed);
}

bool SessionTable::enter(const IpAddress& network, Share share) {
  Shard& shard = shard_of(network);
  std::lock_guard lock(shard.mutex);
  std::uint64_t& open = shard.sessions[network];
  bool allowed = share == Share::unlimited || open < max_per_client_.load(std::memory_order_relaxed);
  // Counts first and undoes it if over the limit, so that two workers cannot both take the last place.
  if (allowed && sessions_.fetch_add(1, std::memory_order_relaxed) >= max_sessions_.load(std::memory_order_relaxed)) {
    sessions_.fetch_sub(1, std::memory_order_relaxed);
    allowed = false;
  }
  if (allowed) {
    ++open;
  } else if (open == 0) {
    shard.sessions.erase(network);
  }
  return allowed;
}

void SessionTable::leave(const IpAddress& network) noexcept {
  sessions_.fetch_sub(1, std::memory_order_relaxed);
  Shard& shard = shard_of(network);
  std::lock_guard lock(shard.mutex);
  auto found = shard.sessions.find(network);
  if (found != shard.sessions.end() && --found->second == 0) shard.sessions.erase(found);
}

std::uint64_t SessionTable::sessions_of(const IpAddress& client) const {
  const IpAddress network = client_network(client);
  const Shard& shard = shard_of(network);
  std::lock_guard lock(shard.mutex);
  auto found = shard.sessions.find(network);
  return found == shard.sessions.end() ? 0 : found->second;
}

SessionTable::Shard& SessionTable::shard_of(const IpAddress& network) const {
  // Uses the high bits, because the map inside the shard chooses its buckets by the low bits.
  return shards_[(std::hash<IpAddress>()(network) >> 32) % shard_count];
}

IpAddress client_network(const IpAddress& client) { return client.is_v4() ? client : IpNetwork::of(client, 64).base(); }

}  // namespace sallyport::state
