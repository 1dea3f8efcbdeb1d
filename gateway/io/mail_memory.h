// MailMemory: what is remembered from one mail to the next for those who write rules: embedded, or a store that several
// nodes share.
//
// Each tenant has a memory of its own, bounded; what was remembered last, or again and again, stays longest. What one
// origin has caused to be remembered pushes out little of what others have. Nothing here fails: what cannot be
// remembered counts as new.
#pragma once

#include <optional>
#include <string>

#include "gateway/async/task.h"
#include "gateway/base/units.h"
#include "gateway/io/rate_store.h"

namespace sallyport::io {

// What an entry is remembered by. Rates, sights and values of the same place do not meet.
struct MemoryPlace {
  std::string tenant;  // empty: of nobody in particular
  std::string name;    // of what is remembered, such as "senders"
  std::string key;     // any octets
  // Who caused it to be remembered, such as the client's network: no part of what it is remembered by.
  std::string origin = {};
};

struct Sight {
  bool is_known = false;
  Duration since{};  // when known: how long ago it was seen first
};

class MailMemory {
 public:
  virtual ~MailMemory() = default;
  // Takes one from the allowance of the place (GCRA). What is not allowed takes nothing.
  virtual Task<RateAnswer> take(MemoryPlace place, Rate rate) = 0;
  // Whether the place was seen within the `keep` of its last sight; it is seen now.
  virtual Task<Sight> see(MemoryPlace place, Duration keep) = 0;
  // The value that was put there, unless its time is over.
  virtual Task<std::optional<std::string>> recall(MemoryPlace place) = 0;
  // Does not wait.
  virtual void put(MemoryPlace place, std::string value, Duration keep) noexcept = 0;
};

}  // namespace sallyport::io
