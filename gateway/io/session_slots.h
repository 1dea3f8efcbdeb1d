// Places for concurrent sessions, in all and per client network (threats.md R5): counted over all workers.
#pragma once

#include <memory>

#include "gateway/base/address.h"

namespace sallyport::io {

class SessionSlots {
 public:
  virtual ~SessionSlots() = default;
  // Held as long as the session lives; its destructor gives the place back.
  class Slot {
   public:
    virtual ~Slot() = default;
  };
  // Null when there is no place left for a client of this address.
  virtual std::unique_ptr<Slot> take(const IpAddress& client) = 0;
  // Four fifths of all places are taken, or more: those who keep one waiting are waited for less long (T3).
  virtual bool are_scarce() const = 0;
};

}  // namespace sallyport::io
