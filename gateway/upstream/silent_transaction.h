// SilentTransaction: a transaction that holds a connection while its client says nothing.
//
// Its connection is one that others may need more: under pressure the pool has the one that has been silent longest
// given up (threats.md U18). Whoever holds it can begin again later, as nothing of the content has been sent (U17).
#pragma once

#include "gateway/async/intrusive_list.h"
#include "gateway/base/units.h"

namespace sallyport::upstream {

class UpstreamServer;

class SilentTransaction : public async::ListNode {
 public:
  // The server whose connection it holds; null: it holds none.
  virtual UpstreamServer* held_server() const = 0;
  // Gives the connection back to the pool, whatever is open on it. Called by the pool on its loop's thread.
  virtual void give_up() noexcept = 0;

  Time silent_since{};  // set by the pool

 protected:
  ~SilentTransaction() = default;
};

}  // namespace sallyport::upstream
