// SessionSlots: the limits on concurrent sessions, in total and per client network (threats.md R5), counted over all
// workers.
#pragma once

#include <memory>

#include "gateway/base/address.h"

namespace sallyport::io {

class SessionSlots {
 public:
  virtual ~SessionSlots() = default;
  // A session holds one for its lifetime; the destructor gives it back.
  class Slot {
   public:
    virtual ~Slot() = default;
  };
  // Whether the limit for one network holds for a client.
  enum class Share : bool { limited, unlimited };
  // Null when the limit is reached, in total or for the network of this address.
  virtual std::unique_ptr<Slot> take(const IpAddress& client, Share share) = 0;
};

}  // namespace sallyport::io
