// KeyCache: parsed key records, found by their text: making a key from a record costs as much as verifying with it.
// Bounded; one per worker, used by its thread only.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/base/sip_hash.h"
#include "gateway/signature/key_record.h"

namespace sallyport::signature {

class KeyCache {
 public:
  explicit KeyCache(std::size_t max_records);

  // The record for `text`, from the cache or parsed now. When the cache is full, the least recently used record is
  // dropped.
  std::shared_ptr<const KeyRecord> get(std::string_view text);

 private:
  struct Entry {
    std::string text;
    std::shared_ptr<const KeyRecord> record;
  };
  // Keyed with a random secret, since the texts come from outside (threats.md I6).
  struct Hash {
    HashKey key;
    std::size_t operator()(std::string_view text) const;
  };

  std::size_t max_records_;
  std::list<Entry> entries_;                                                        // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator, Hash> by_text_;  // views of the entries' texts
};

}  // namespace sallyport::signature
