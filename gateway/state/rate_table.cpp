#include "gateway/state/rate_table.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/state/gcra.h"

namespace sallyport::state {

namespace {

struct FingerprintHash {
  std::size_t operator()(const Fingerprint& key) const noexcept { return key.low; }
};

}  // namespace

// A part of the keys, with a heap of its entries; the entry that will be idle first is on top. Each entry knows its
// place in the heap, so take() moves it in O(log n); forgetting and evicting both remove the top.
class RateTable::Shard {
 public:
  explicit Shard(std::size_t max_entries) : max_entries_(max_entries) {}

  io::RateAnswer take(const Fingerprint& key, const Rate& rate, Time now) {
    std::lock_guard lock(mutex_);
    forget_idle(now);
    auto found = entries_.find(key);
    Time arrival = found == entries_.end() ? Time::min() : found->second.arrival;
    const io::RateAnswer answer = take_one(arrival, rate, now);
    if (!answer.allowed || arrival <= now) return answer;  // refused, or idle again at once: nothing to store
    if (found == entries_.end()) found = add(key, arrival);
    found->second.arrival = arrival;
    sink(found->second.place);
    return answer;
  }

  void give_back(const Fingerprint& key, const Rate& rate, Time now) {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    give_back_one(found->second.arrival, rate, now);
    rise(found->second.place);
  }

  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    Time arrival;
    std::size_t place = 0;  // index in the heap
  };
  using Entries = std::unordered_map<Fingerprint, Entry, FingerprintHash>;

  // Removes at most two entries per call: the table shrinks as fast as it grew, and no call pays for many.
  void forget_idle(Time now) {
    for (int i = 0; i < 2 && !heap_.empty() && heap_.front()->second.arrival <= now; ++i) remove_top();
  }

  Entries::iterator add(const Fingerprint& key, Time arrival) {
    if (entries_.size() == max_entries_) remove_top();
    auto added = entries_.emplace(key, Entry{arrival, heap_.size()}).first;
    try {
      heap_.push_back(&*added);
    } catch (...) {  // out of memory: leaves the table unchanged
      entries_.erase(added);
      throw;
    }
    rise(added->second.place);
    return added;
  }

  void remove_top() {
    const Fingerprint key = heap_.front()->first;
    put(0, heap_.back());
    heap_.pop_back();
    entries_.erase(key);
    if (!heap_.empty()) sink(0);
  }

  void put(std::size_t place, Entries::value_type* entry) {
    heap_[place] = entry;
    entry->second.place = place;
  }

  Time arrival_at(std::size_t place) const { return heap_[place]->second.arrival; }

  void exchange(std::size_t a, std::size_t b) {
    auto* entry = heap_[a];
    put(a, heap_[b]);
    put(b, entry);
  }

  void rise(std::size_t place) {
    while (place > 0 && arrival_at(place) < arrival_at((place - 1) / 2)) {
      exchange(place, (place - 1) / 2);
      place = (place - 1) / 2;
    }
  }

  void sink(std::size_t place) {
    while (true) {
      std::size_t first = place;
      for (std::size_t child : {2 * place + 1, 2 * place + 2}) {
        if (child < heap_.size() && arrival_at(child) < arrival_at(first)) first = child;
      }
      if (first == place) return;
      exchange(place, first);
      place = first;
    }
  }

  const std::size_t max_entries_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::vector<Entries::value_type*> heap_;
};

RateTable::RateTable(Options options, Now now) : hash_key_(options.hash_key), now_(std::move(now)) {
  ensure(options.shards > 0 && options.max_entries >= options.shards, "RateTable: fewer entries than shards");
  shards_.reserve(options.shards);
  for (std::size_t i = 0; i < options.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(options.max_entries / options.shards));
  }
}

RateTable::~RateTable() = default;

Task<io::RateAnswer> RateTable::take(std::string key, Rate rate) { co_return take_now(key, rate); }

io::RateAnswer RateTable::take_now(std::string_view key, const Rate& rate) {
  const Fingerprint fingerprint = sallyport::fingerprint(hash_key_, key);
  return shard_of(fingerprint).take(fingerprint, rate, now_());
}

void RateTable::give_back(std::string_view key, const Rate& rate) noexcept {
  const Fingerprint fingerprint = sallyport::fingerprint(hash_key_, key);
  shard_of(fingerprint).give_back(fingerprint, rate, now_());
}

// By `high`, because a shard's map hashes by `low`: with the same half, a shard's keys would share their low bits.
RateTable::Shard& RateTable::shard_of(const Fingerprint& key) const { return *shards_[key.high % shards_.size()]; }

std::size_t RateTable::size() const {
  std::size_t sum = 0;
  for (const auto& shard : shards_) sum += shard->size();
  return sum;
}

Time steady_now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

}  // namespace sallyport::state
