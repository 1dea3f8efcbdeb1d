// RateTable: the embedded rate store. Counts events per key by GCRA, in memory.
//
// One per process, shared by all workers. Keys are spread over shards; each shard has a lock that is held for one hash
// table look-up. take() never suspends. Keys are stored as fingerprints under a random key, so a peer can neither make
// them collide nor make them long (threats.md R17).
//
// Bounded: at most `max_entries` keys. Idle keys, whose allowance is full again, are removed as new ones come. A full
// table removes the key that will be idle soonest: so a key that is being limited stays longer than an idle one, and a
// flood of new keys, each used once, evicts mostly its own (R16).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/base/sip_hash.h"
#include "gateway/base/units.h"
#include "gateway/io/rate_store.h"

namespace sallyport::state {

class RateTable final : public io::RateStore {
 public:
  struct Options {
    std::size_t max_entries = 1u << 20;  // about 80 octets each, allocated as needed
    std::size_t shards = 64;
    HashKey hash_key{};  // random; tests set it to get the same table each time
  };
  // Gives the monotonic time; called on every worker's thread. The loops' own times differ slightly, so one clock is
  // used.
  using Now = std::function<Time()>;

  RateTable(Options options, Now now);
  ~RateTable() override;

  Task<io::RateAnswer> take(std::string key, Rate rate) override;
  // A key that was removed meanwhile has its whole allowance already.
  void give_back(std::string_view key, const Rate& rate) noexcept override;
  // The same for callers that are not coroutines.
  io::RateAnswer take_now(std::string_view key, const Rate& rate);

  // The number of keys held, including idle ones not removed yet.
  std::size_t size() const;

 private:
  class Shard;
  Shard& shard_of(const Fingerprint& key) const;

  HashKey hash_key_;
  Now now_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

// The Now of a running gateway.
Time steady_now();

}  // namespace sallyport::state
