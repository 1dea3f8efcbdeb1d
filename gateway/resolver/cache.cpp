#include "gateway/resolver/cache.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "gateway/base/id.h"

namespace sallyport::resolver {

namespace {

constexpr std::uint64_t octets_per_entry = 1024;
constexpr std::uint64_t most_answer_octets = 16 * 1024;

std::uint64_t octets_of(const dns::Question& question, const dns::Answer& answer) {
  std::uint64_t octets = 128 + question.name.size();
  for (const dns::RecordData& record : answer.records) {
    octets += sizeof(record);
    if (const auto* text = std::get_if<std::string>(&record)) octets += text->size();
    if (const auto* mx = std::get_if<dns::Mx>(&record)) octets += mx->exchange.size();
  }
  return octets;
}

}  // namespace

Cache::Cache(std::uint64_t entries) : Cache(entries, KeyedHash(random_seed(), random_seed())) {}

Cache::Cache(std::uint64_t entries, KeyedHash hash)
    : hash_(hash),
      entries_per_shard_(static_cast<std::size_t>(std::min<std::uint64_t>(entries, nothing) + shard_count - 1) /
                         shard_count) {
  if (entries_per_shard_ == 0) return;
  for (Shard& shard : shards_) shard.buckets.assign(std::bit_ceil(entries_per_shard_), nothing);
}

std::optional<dns::Answer> Cache::find(const dns::Question& question, Time now) {
  if (entries_per_shard_ == 0) return std::nullopt;
  std::uint64_t hash = hash_(question);
  Shard& shard = shard_of(hash);
  std::shared_ptr<const dns::Answer> kept;
  Duration left{};
  {
    std::lock_guard lock(shard.mutex);
    std::uint32_t index = *shard.link_to(hash, question);
    if (index == nothing) return std::nullopt;
    Entry& entry = shard.entries[index];
    if (entry.until <= now) {
      shard.drop(index);
      return std::nullopt;
    }
    entry.was_asked = true;
    kept = entry.answer;
    left = entry.until - now;
  }
  dns::Answer answer = *kept;
  answer.from_cache = true;
  answer.ttl = std::chrono::ceil<std::chrono::seconds>(left);
  return answer;
}

void Cache::put(const dns::Question& question, dns::Answer answer, Time now, Time until) {
  std::uint64_t octets = octets_of(question, answer);
  if (entries_per_shard_ == 0 || until <= now || octets > most_answer_octets) return;
  std::uint64_t hash = hash_(question);
  auto kept = std::make_shared<const dns::Answer>(std::move(answer));
  dns::Question key = question;
  Shard& shard = shard_of(hash);
  std::lock_guard lock(shard.mutex);
  if (std::uint32_t known = *shard.link_to(hash, question); known != nothing) shard.drop(known);
  shard.make_room(octets, entries_per_shard_, now);

  std::uint32_t index;
  if (!shard.free.empty()) {
    index = shard.free.back();
    shard.free.pop_back();
  } else {
    index = static_cast<std::uint32_t>(shard.entries.size());
    shard.entries.emplace_back();
  }
  Entry& entry = shard.entries[index];
  std::uint32_t& bucket = shard.buckets[(hash / shard_count) & (shard.buckets.size() - 1)];
  entry = Entry{hash, std::move(key), std::move(kept), until, octets, std::exchange(bucket, index), false};
  shard.octets += octets;
}

std::uint64_t Cache::size() const {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    sum += shard.entries.size() - shard.free.size();
  }
  return sum;
}

std::uint64_t Cache::octets() const {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    sum += shard.octets;
  }
  return sum;
}

// The link that holds the entry's index, or the link at the end of its chain, which holds `nothing`.
std::uint32_t* Cache::Shard::link_to(std::uint64_t hash, const dns::Question& question) {
  std::uint32_t* link = &buckets[(hash / shard_count) & (buckets.size() - 1)];
  while (*link != nothing && !(entries[*link].hash == hash && entries[*link].question == question)) {
    link = &entries[*link].next;
  }
  return link;
}

void Cache::Shard::drop(std::uint32_t index) {
  // First, because it is the only step that can throw.
  free.push_back(index);
  Entry& entry = entries[index];
  *link_to(entry.hash, entry.question) = entry.next;
  octets -= entry.octets;
  entry = Entry{};
}

void Cache::Shard::make_room(std::uint64_t octets_wanted, std::size_t most_entries, Time now) {
  std::uint64_t most_octets = std::max(most_entries * octets_per_entry, most_answer_octets);
  while (entries.size() - free.size() >= most_entries || octets + octets_wanted > most_octets) {
    if (hand >= entries.size()) hand = 0;
    Entry& entry = entries[hand];
    if (entry.answer && (entry.until <= now || !std::exchange(entry.was_asked, false))) {
      drop(static_cast<std::uint32_t>(hand));
    }
    ++hand;
  }
}

}  // namespace sallyport::resolver
