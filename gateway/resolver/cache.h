// Cache: what DNS has answered, until its time is up. One for the process, shared by the workers' resolvers.
//
// Bounded in entries and, because an owner of a zone decides how big its records are, in octets (1 KiB per entry on the
// average; an answer over 16 KiB is not kept). When full it drops by CLOCK: an entry that was asked for since the hand
// last passed is spared once, so a flood of names that nobody asks for twice drives out itself first (threats.md D6).
// A find is one lock of one shard of many and a copy made outside it; any thread may call at any time.
//
// It reads no clock: the caller's monotonic time decides what has run out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "gateway/base/units.h"
#include "gateway/dns/answer.h"
#include "gateway/resolver/keyed_hash.h"

namespace sallyport::resolver {

class Cache {
 public:
  // With room for about so many answers; 0 keeps none. The hash has a random key.
  explicit Cache(std::uint64_t entries);
  Cache(std::uint64_t entries, KeyedHash hash);
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // The answer, with from_cache set and as TTL what is left of it.
  std::optional<dns::Answer> find(const dns::Question& question, Time now);
  // Keeps the answer until `until`, in place of an older one. Its TTL is not looked at.
  void put(const dns::Question& question, dns::Answer answer, Time now, Time until);

  std::uint64_t size() const;    // entries, those that have run out included
  std::uint64_t octets() const;  // of names and answers, roughly

 private:
  static constexpr std::size_t shard_count = 16;
  static constexpr std::uint32_t nothing = UINT32_MAX;

  struct Entry {
    std::uint64_t hash = 0;
    dns::Question question;
    std::shared_ptr<const dns::Answer> answer;  // null: the place is free
    Time until{};
    std::uint64_t octets = 0;
    std::uint32_t next = nothing;  // of the same bucket
    bool was_asked = false;        // since the hand passed
  };

  // A hash table with chains through a vector of entries, which is also the circle the hand goes around.
  struct Shard {
    mutable std::mutex mutex;
    std::vector<std::uint32_t> buckets;
    std::vector<Entry> entries;
    std::vector<std::uint32_t> free;
    std::size_t hand = 0;
    std::uint64_t octets = 0;

    std::uint32_t* link_to(std::uint64_t hash, const dns::Question& question);
    void drop(std::uint32_t index);
    void make_room(std::uint64_t octets_wanted, std::size_t most_entries, Time now);
  };

  Shard& shard_of(std::uint64_t hash) { return shards_[hash % shard_count]; }

  KeyedHash hash_;
  std::size_t entries_per_shard_;
  std::array<Shard, shard_count> shards_;
};

}  // namespace sallyport::resolver
