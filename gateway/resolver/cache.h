// Cache: answers to DNS questions until they expire. One per process, shared by the resolvers of all workers.
//
// Bounded in entries and, since the owner of a zone chooses the size of its records, in octets (on average 1 KiB per
// entry; an answer over 16 KiB is not kept). When full it evicts by CLOCK: an entry that was asked for since the hand
// last passed it is spared once, so a flood of names that are asked for only once evicts itself first (threats.md D6).
// find() locks one of 16 shards and copies the answer after unlocking. Any thread may call at any time.
//
// It reads no clock: the caller passes the monotonic time.
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
  // `entries`: room for about this many answers; 0 disables the cache. The hash gets a random key.
  explicit Cache(std::uint64_t entries);
  Cache(std::uint64_t entries, KeyedHash hash);
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // The answer, with from_cache set and its TTL reduced to what is left.
  std::optional<dns::Answer> find(const dns::Question& question, Time now);
  // Stores the answer until `until`, replacing an older one. Answer::ttl is not used.
  void put(const dns::Question& question, dns::Answer answer, Time now, Time until);

  std::uint64_t size() const;    // number of entries, including expired ones
  std::uint64_t octets() const;  // approximate size of names and answers

 private:
  static constexpr std::size_t shard_count = 16;
  static constexpr std::uint32_t nothing = UINT32_MAX;

  struct Entry {
    std::uint64_t hash = 0;
    dns::Question question;
    std::shared_ptr<const dns::Answer> answer;  // null: the entry is free
    Time until{};
    std::uint64_t octets = 0;
    std::uint32_t next = nothing;  // next entry in the same bucket
    bool was_asked = false;        // since the CLOCK hand last passed
  };

  // A hash table whose chains run through a vector of entries; the CLOCK hand goes around the same vector.
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
