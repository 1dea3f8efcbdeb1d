#include "gateway/state/mail_memory.h"

#include <algorithm>
#include <exception>

#include "gateway/state/gcra.h"
#include "gateway/state/memory_rows.h"

namespace sallyport::state {

namespace {

// So many entries are copied under a lock that the workers may wait for.
constexpr std::size_t entries_per_lock = 200;
// And so many are written in one transaction; the rest follows in the next.
constexpr int locks_per_write = 50;

}  // namespace

Fingerprint MailMemory::fingerprint_of(Kind kind, const io::MemoryPlace& place) const {
  SipHash<2, 4> hash(options_.hash_key);
  hash.widen();
  hash.add(std::string_view(reinterpret_cast<const char*>(&kind), 1));
  hash.add(std::string_view(place.name));
  hash.add(std::string_view(place.key));
  const auto [low, high] = hash.finish_wide();
  return {low, high};
}

std::uint64_t MailMemory::origin_of(const io::MemoryPlace& place) const {
  SipHash<2, 4> hash(options_.hash_key);
  hash.add(std::string_view(place.origin));
  return hash.finish();
}

MemoryTable::Bounds MailMemory::bounds_for(std::size_t tenants) const {
  const auto share = [tenants](std::size_t of_all, std::size_t of_tenant) {
    return std::clamp<std::size_t>(of_all / tenants, 1, of_tenant);
  };
  return {share(options_.of_all.entries, options_.of_tenant.entries),
          share(options_.of_all.octets, options_.of_tenant.octets)};
}

MailMemory::Tenant& MailMemory::tenant_of(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(name);
  if (found != tenants_.end()) return *found->second;
  const MemoryTable::Bounds bounds = bounds_for(tenants_.size() + 1);
  Tenant& made = *tenants_.emplace(name, std::make_unique<Tenant>(bounds)).first->second;
  for (const auto& [other, tenant] : tenants_) {
    const std::lock_guard table(tenant->mutex);
    tenant->marks.set_bounds(bounds);
    tenant->values.set_bounds(bounds);
  }
  return made;
}

std::vector<std::pair<std::string, MailMemory::Tenant*>> MailMemory::tenants() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, Tenant*>> all;
  for (const auto& [name, tenant] : tenants_) all.emplace_back(name, tenant.get());
  return all;
}

MailMemory::Mark MailMemory::mark_of(Kind kind, const io::MemoryPlace& place) {
  return {fingerprint_of(kind, place), origin_of(place), tenant_of(place.tenant), now_()};
}

Task<io::RateAnswer> MailMemory::take(io::MemoryPlace place, Rate rate) {
  const auto [key, origin, tenant, now] = mark_of(Kind::rate, place);
  io::RateAnswer answer;
  {
    const std::lock_guard lock(tenant.mutex);
    MemoryEntry* entry = tenant.marks.find(key, now);
    Time arrival = entry ? entry->moment : Time::min();
    answer = take_one(arrival, rate, now);
    if (entry) tenant.marks.use(*entry, now);
    // Whoever is refused may not make room for himself by many new keys.
    if (entry && !answer.allowed) tenant.marks.establish(*entry);
    if (!answer.allowed || arrival <= now) co_return answer;
    if (!entry) entry = &tenant.marks.add(key, origin, now);
    entry->moment = entry->expires = arrival;
    tenant.marks.note(*entry);
  }
  write_soon();
  co_return answer;
}

Task<io::Sight> MailMemory::see(io::MemoryPlace place, Duration keep) {
  const auto [key, origin, tenant, now] = mark_of(Kind::sight, place);
  io::Sight sight;
  {
    const std::lock_guard lock(tenant.mutex);
    MemoryEntry* entry = tenant.marks.find(key, now);
    if (entry) {
      sight = {true, now - entry->moment};
      tenant.marks.use(*entry, now);
    } else {
      entry = &tenant.marks.add(key, origin, now);
      entry->moment = now;
    }
    entry->expires = now + keep;
    tenant.marks.note(*entry);
  }
  write_soon();
  co_return sight;
}

Task<std::optional<std::string>> MailMemory::recall(io::MemoryPlace place) {
  const Fingerprint key = fingerprint_of(Kind::value, place);
  Tenant& tenant = tenant_of(place.tenant);
  const Time now = now_();
  const std::lock_guard lock(tenant.mutex);
  MemoryEntry* entry = tenant.values.find(key, now);
  if (!entry) co_return std::nullopt;
  tenant.values.use(*entry, now);
  co_return entry->value;
}

void MailMemory::put(io::MemoryPlace place, std::string value, Duration keep) noexcept {
  try {
    const Fingerprint key = fingerprint_of(Kind::value, place);
    Tenant& tenant = tenant_of(place.tenant);
    const Time now = now_();
    {
      const std::lock_guard lock(tenant.mutex);
      MemoryEntry* entry = tenant.values.find(key, now);
      if (!entry) entry = &tenant.values.add(key, origin_of(place), now);
      entry->moment = now;
      entry->expires = now + keep;
      tenant.values.set_value(*entry, std::move(value));
      tenant.values.note(*entry);
    }
    write_soon();
  } catch (const std::exception&) {
    // No memory: it is not remembered.
  }
}

std::size_t MailMemory::size(const std::string& name) const {
  for (const auto& [known, tenant] : tenants()) {
    if (known != name) continue;
    const std::lock_guard lock(tenant->mutex);
    return tenant->size();
  }
  return 0;
}

std::size_t MailMemory::size() const {
  std::size_t sum = 0;
  for (const auto& [name, tenant] : tenants()) {
    const std::lock_guard lock(tenant->mutex);
    sum += tenant->size();
  }
  return sum;
}

// -- the store

Result<Done> MailMemory::read(Database& database, WallTime wall) {
  auto key = memory_hash_key(database, options_.hash_key);
  if (!key) return std::move(key).error();
  options_.hash_key = *key;
  auto batch = memory_batch(database);
  if (!batch) return std::move(batch).error();
  batch_ = *batch;
  const auto restore = [this](const std::string& name, MemoryEntry entry) {
    Tenant& tenant = tenant_of(name);
    const std::lock_guard lock(tenant.mutex);
    (entry.value.empty() ? tenant.marks : tenant.values).restore(std::move(entry));
  };
  const auto is_shifted = read_memory(database, {now_(), wall}, restore);
  if (!is_shifted) return is_shifted.error();
  if (!*is_shifted) return Done{};
  note_all();
  return Done{};
}

void MailMemory::keep_in(Store& store, std::function<WallTime()> wall) {
  wall_ = std::move(wall);
  store_ = &store;
}

void MailMemory::note_all() {
  for (const auto& [name, tenant] : tenants()) {
    const std::lock_guard lock(tenant->mutex);
    tenant->marks.note_all();
    tenant->values.note_all();
  }
}

// One write is queued at a time; it takes all changes up to then.
void MailMemory::write_soon() noexcept {
  Store* const store = store_;
  if (!store || is_write_queued_.exchange(true)) return;
  try {
    // The store may also drop the write.
    const std::shared_ptr<void> queued(nullptr, [this](void*) { is_write_queued_ = false; });
    store->submit([this, queued](Database& database) { return write(database); });
  } catch (const std::exception&) {
    is_write_queued_ = false;
  }
}

Result<Done> MailMemory::write(Database& database) {
  is_write_queued_ = false;
  auto kept = memory_batch(database);
  if (!kept) return std::move(kept).error();
  if (*kept != batch_) {
    has_lost_changes_ = true;
  } else if (has_lost_changes_) {
    note_all();
    has_lost_changes_ = false;
  }
  batch_ = *kept + 1;
  auto counted = set_memory_batch(database, batch_);
  if (!counted) return counted;
  int locks = 0;
  for (const auto& [name, tenant] : tenants()) {
    for (MemoryTable* table : {&tenant->marks, &tenant->values}) {
      bool is_all = false;
      while (!is_all) {
        if (++locks > locks_per_write) {
          write_soon();
          return Done{};
        }
        MemoryTable::Changes changes;
        {
          const std::lock_guard lock(tenant->mutex);
          changes = table->take_changes(entries_per_lock);
        }
        auto written = write_memory(database, {now_(), wall_()}, name, changes);
        if (!written) return written;
        is_all = changes.is_all;
      }
    }
  }
  return Done{};
}

}  // namespace sallyport::state
