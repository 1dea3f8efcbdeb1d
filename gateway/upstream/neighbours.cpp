#include "gateway/upstream/neighbours.h"

#include <exception>
#include <utility>

namespace sallyport::upstream {

PoolNeighbours::Member::Member(PoolNeighbours& neighbours, Post post, std::function<void()> called)
    : neighbours_(neighbours), post_(std::move(post)), called_(std::move(called)) {
  std::lock_guard lock(neighbours_.mutex_);
  neighbours_.members_.push_back(this);
}

PoolNeighbours::Member::~Member() {
  std::lock_guard lock(neighbours_.mutex_);
  std::erase(neighbours_.members_, this);
}

void PoolNeighbours::Member::call_others() noexcept {
  std::lock_guard lock(neighbours_.mutex_);
  for (Member* other : neighbours_.members_) {
    if (other != this) other->call();
  }
}

void PoolNeighbours::Member::call() noexcept {
  if (is_called_.exchange(true)) return;
  try {
    post_([this] {
      is_called_.store(false);
      called_();
    });
  } catch (const std::exception&) {
    // Without memory for a message it looks by itself, a moment later.
    is_called_.store(false);
  }
}

}  // namespace sallyport::upstream
