// Key records that have been read before, found again by their text: making a key out of a record costs as much as
// verifying with it. Bounded; one per worker.
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

  // The record that `text` is, from the cache or read now. The one least recently asked for makes room for a new one.
  std::shared_ptr<const KeyRecord> get(std::string_view text);

 private:
  struct Entry {
    std::string text;
    std::shared_ptr<const KeyRecord> record;
  };
  // With a secret of its own: the texts are strangers' (threats.md I6).
  struct Hash {
    HashKey key;
    std::size_t operator()(std::string_view text) const;
  };

  std::size_t max_records_;
  std::list<Entry> entries_;                                                        // the most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator, Hash> by_text_;  // views of the entries' texts
};

}  // namespace sallyport::signature
