// SessionSlots: the limits on concurrent sessions, in total and per client network (threats.md R5), counted over all
// workers.
#pragma once

#include <cstdint>
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
  // For a mail of one of several tenants; `tenant` is its number (checks::Plan::payer). Null when mails of this tenant
  // have half of all places: the other half is for the others.
  virtual std::unique_ptr<Slot> take_for_mail(std::uint64_t tenant) = 0;
};

}  // namespace sallyport::io
