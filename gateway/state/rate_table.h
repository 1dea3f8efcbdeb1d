// The embedded rate store: who has taken how much of which rate, counted by GCRA in memory.
//
// One for the process, shared by all workers: keys are spread over shards with a lock each, held for the length of a
// hash table look-up; take() never suspends. Keys are kept as fingerprints under a random key, so a peer can neither
// make them collide nor make them long (threats.md R17).
//
// Bounded: at most `max_entries` keys. Keys that are idle, whose allowance is whole again, are forgotten as others
// come. A full table forgets whichever would be idle soonest: one that is being limited is never pushed out before an
// idle one, and a flood of new keys, each used once, pushes out its own (R16).
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
    std::size_t max_entries = 1u << 20;  // about 80 octets each, taken as they come
    std::size_t shards = 64;
    HashKey hash_key{};  // random; the same key gives the same table, for tests
  };
  // The monotonic time; called from every worker. Workers' loops stand at slightly different times, one clock does not.
  using Now = std::function<Time()>;

  RateTable(Options options, Now now);
  ~RateTable() override;

  Task<io::RateAnswer> take(std::string key, Rate rate) override;
  // The same, for callers that are no coroutines.
  io::RateAnswer take_now(std::string_view key, const Rate& rate);

  // How many keys are held; idle ones that nobody has passed by yet among them.
  std::size_t size() const;

 private:
  class Shard;

  HashKey hash_key_;
  Now now_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

// The clock of a running gateway.
Time steady_now();

}  // namespace sallyport::state
