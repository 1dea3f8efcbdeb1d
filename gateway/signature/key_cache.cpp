#include "gateway/signature/key_cache.h"

#include <cstring>

#include "gateway/crypto/random.h"

namespace sallyport::signature {

namespace {

HashKey random_hash_key() {
  const std::string octets = crypto::random_octets(sizeof(HashKey));
  HashKey key;
  std::memcpy(&key, octets.data(), sizeof key);
  return key;
}

}  // namespace

std::size_t KeyCache::Hash::operator()(std::string_view text) const {
  SipHash<1, 3> hash(key);
  hash.add(text);
  return hash.finish();
}

KeyCache::KeyCache(std::size_t max_records) : max_records_(max_records), by_text_(0, Hash{random_hash_key()}) {}

std::shared_ptr<const KeyRecord> KeyCache::get(std::string_view text) {
  if (const auto found = by_text_.find(text); found != by_text_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->record;
  }
  auto record = std::make_shared<const KeyRecord>(parse_key_record(text));
  // A record that is too long is refused by its length alone, so it is not worth a place.
  if (text.size() > max_key_record_octets) return record;
  if (entries_.size() == max_records_) {
    by_text_.erase(entries_.back().text);
    entries_.pop_back();
  }
  entries_.push_front({std::string(text), record});
  by_text_.emplace(entries_.front().text, entries_.begin());
  return record;
}

}  // namespace sallyport::signature
