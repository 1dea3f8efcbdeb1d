// MailMemory: the embedded memory of rules. Questions are answered from tables in memory, one for each tenant, under a
// lock that is held for one look-up; what has changed is written to the embedded store by its own thread, and read at
// the start, so that it survives a restart.
//
// One per process, shared by all workers; a reload does not touch it. Keys are kept as fingerprints under a random key
// that the store keeps: a peer can neither make them collide (threats.md R17) nor make them long, and the file names no
// sender. While the store cannot be used, all goes on in memory, and the store tells of it (Fault::state).
//
// Times in memory are monotonic, so a wall clock that is set shifts nothing; in the file they are wall times. When the
// clock of a start does not fit what was written last (clock_trust.h), no time counts as passed.
//
// Bounded: each tenant by MemoryTable::Bounds, once for rates and sights and once for values, so that large values push
// out none of the others; and all tenants together by `of_all`, shared equally.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/base/sip_hash.h"
#include "gateway/io/mail_memory.h"
#include "gateway/state/database.h"
#include "gateway/state/memory_table.h"
#include "gateway/state/store.h"

namespace sallyport::state {

class MailMemory final : public io::MailMemory {
 public:
  struct Options {
    MemoryTable::Bounds of_all{500'000, std::size_t{256} << 20};  // an entry takes some 300 octets beside its value
    MemoryTable::Bounds of_tenant{};
    HashKey hash_key{};  // random; replaced by that of the store
  };
  // Gives the monotonic time; called on every worker's thread.
  using Now = std::function<Time()>;

  MailMemory(const Options& options, Now now) : options_(options), now_(std::move(now)) {}

  // Reads what was written down. To be called before anything is remembered.
  Result<Done> read(Database& database, WallTime wall);
  // From now on changes are written to `store`, which must outlive all calls but the destructor. `wall` gives the time
  // of day, on the store's thread.
  void keep_in(Store& store, std::function<WallTime()> wall);
  // From now on nothing is written: another process keeps the memory. Any thread.
  void keep_no_more() noexcept { store_ = nullptr; }

  Task<io::RateAnswer> take(io::MemoryPlace place, Rate rate) override;
  Task<io::Sight> see(io::MemoryPlace place, Duration keep) override;
  Task<std::optional<std::string>> recall(io::MemoryPlace place) override;
  void put(io::MemoryPlace place, std::string value, Duration keep) noexcept override;

  // Entries of one tenant, and of all.
  std::size_t size(const std::string& tenant) const;
  std::size_t size() const;

 private:
  struct Tenant {
    explicit Tenant(const MemoryTable::Bounds& bounds) : marks(bounds), values(bounds) {}
    std::size_t size() const { return marks.size() + values.size(); }
    std::mutex mutex;
    MemoryTable marks;  // rates and sights, which have no value
    MemoryTable values;
  };

  enum class Kind : char { rate = 'r', sight = 's', value = 'v' };

  // Where a rate or a sight is kept, and when it was asked for.
  struct Mark {
    Fingerprint key;
    std::uint64_t origin;
    Tenant& tenant;
    Time now;
  };

  Mark mark_of(Kind kind, const io::MemoryPlace& place);
  Fingerprint fingerprint_of(Kind kind, const io::MemoryPlace& place) const;
  std::uint64_t origin_of(const io::MemoryPlace& place) const;
  Tenant& tenant_of(const std::string& name);
  MemoryTable::Bounds bounds_for(std::size_t tenants) const;
  std::vector<std::pair<std::string, Tenant*>> tenants() const;
  void note_all();
  void write_soon() noexcept;
  Result<Done> write(Database& database);

  Options options_;
  const Now now_;
  mutable std::mutex mutex_;  // of the map; its entries are never removed
  std::map<std::string, std::unique_ptr<Tenant>> tenants_;
  std::atomic<Store*> store_ = nullptr;
  std::function<WallTime()> wall_;
  std::atomic<bool> is_write_queued_{false};
  // Of the store's thread. A transaction that was not kept (disk full, a mistake in what others write) had taken the
  // changes with it; once one is kept again, everything is written anew.
  std::int64_t batch_ = 0;  // of the transaction that was tried last
  bool has_lost_changes_ = false;
};

}  // namespace sallyport::state
