#include "gateway/upstream/waiting_room.h"

#include <algorithm>
#include <utility>

namespace sallyport::upstream {

bool WaitingRoom::Guest::wants(const UpstreamServer& server) const noexcept {
  return std::find(servers_.begin(), servers_.end(), &server) != servers_.end();
}

WaitingRoom::Clearing::~Clearing() {
  std::lock_guard lock(room_.mutex_);
  unlink();
  if (for_ == nullptr) return;
  for_->provision_ = nullptr;
  room_.find_provision(*for_);
}

void WaitingRoom::count(Guest& guest, int change) noexcept {
  for (UpstreamServer* server : guest.servers_) server->waiting(change);
}

void WaitingRoom::enter(Guest& guest, std::vector<UpstreamServer*> servers) noexcept {
  std::lock_guard lock(mutex_);
  if (guest.granted_.load() != nullptr) return;  // a moment ago, on another thread
  if (guest.is_waiting_.load()) count(guest, -1);
  std::swap(guest.servers_, servers);
  count(guest, 1);
  if (!guest.is_waiting_.load()) {
    take_turn_back(guest);
    if (guest.ticket_ == 0) {
      guest.ticket_ = ++last_ticket_;
      guests_.enter(guest, guest.payer_);
    } else {
      const auto came_later = [&guest](const async::ListNode& other) {
        return static_cast<const Guest&>(other).ticket_ > guest.ticket_;
      };
      guests_.enter(guest, guest.payer_, came_later);
    }
    guest.is_waiting_.store(true);
  }
  if (guest.provision_ != nullptr && !guest.wants(guest.provision_->server_)) part(guest);
  if (guest.provision_ == nullptr) find_provision(guest);
}

void WaitingRoom::serve(Guest& guest) noexcept {
  guests_.serve(guest, guest.payer_, 1);
  guest.has_had_turn_ = true;
}

void WaitingRoom::take_turn_back(Guest& guest) noexcept {
  if (std::exchange(guest.has_had_turn_, false)) guests_.take_back(guest.payer_, 1);
}

void WaitingRoom::give_turn_back(Guest& guest) noexcept {
  std::lock_guard lock(mutex_);
  take_turn_back(guest);
}

async::FairTurns WaitingRoom::turns() const noexcept {
  std::lock_guard lock(mutex_);
  return guests_.turns();
}

void WaitingRoom::leave(Guest& guest, Time now, Leaving how) noexcept {
  UpstreamServer* granted = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (guest.is_waiting_.load()) {
      how == Leaving::served ? serve(guest) : guest.unlink();
      guest.is_waiting_.store(false);
      count(guest, -1);
    }
    part(guest);
    granted = guest.granted_.exchange(nullptr);
    if (granted != nullptr) {
      take_turn_back(guest);
      granted->release_slot();
    }
  }
  if (granted != nullptr && granted->waiting() > 0) offer(*granted, now, guest.owner_);
}

UpstreamServer* WaitingRoom::take_grant(Guest& guest) noexcept {
  std::lock_guard lock(mutex_);
  return guest.granted_.exchange(nullptr);
}

void WaitingRoom::offer(UpstreamServer& server, Time now, const void* by) noexcept {
  std::lock_guard lock(mutex_);
  if (server.is_down(now)) return;
  std::uint64_t too_few = 0;  // a guest whose group allows no more than this gets nothing
  async::FairWalk walk(guests_.rows(), guests_.turns());
  while (server.waiting() > 0) {
    async::ListNode* const next = walk.next();
    if (next == nullptr) break;
    auto& guest = static_cast<Guest&>(*next);
    if (guest.most_ <= too_few || !guest.wants(server)) continue;
    if (!server.acquire_slot(guest.most_, now)) {
      too_few = guest.most_;
      continue;
    }
    serve(guest);
    guest.is_waiting_.store(false);
    count(guest, -1);
    guest.granted_.store(&server);
    part(guest);
    guest.has_been_granted(by);
  }
}

std::unique_ptr<WaitingRoom::Clearing> WaitingRoom::clear(UpstreamServer& server, Time now, const void* not_of) {
  if (server.waiting() == 0 || server.is_down(now)) return nullptr;
  auto clearing = std::make_unique<Clearing>(*this, server);
  std::unique_lock lock(mutex_);
  Guest* guest = first_unprovided(server, not_of);
  if (guest != nullptr) {
    clearing->for_ = guest;
    guest->provision_ = clearing.get();
    clearings_.push_back(*clearing);
  }
  lock.unlock();
  if (guest == nullptr) clearing.reset();
  return clearing;
}

bool WaitingRoom::is_wanted(const UpstreamServer& server, Time now) const noexcept {
  if (server.waiting() == 0 || server.is_down(now)) return false;
  std::lock_guard lock(mutex_);
  return first_unprovided(server, nullptr) != nullptr;
}

bool WaitingRoom::is_for_another(const Clearing& clearing, const void* owner) const noexcept {
  std::lock_guard lock(mutex_);
  return clearing.for_ != nullptr && clearing.for_->owner_ != owner;
}

WaitingRoom::Guest* WaitingRoom::first_unprovided(const UpstreamServer& server, const void* not_of) const noexcept {
  async::FairWalk walk(guests_.rows(), guests_.turns());
  while (async::ListNode* const node = walk.next()) {
    auto& guest = static_cast<Guest&>(*node);
    if (guest.provision_ == nullptr && guest.owner_ != not_of && guest.wants(server)) return &guest;
  }
  return nullptr;
}

void WaitingRoom::part(Guest& guest) noexcept {
  Clearing* clearing = std::exchange(guest.provision_, nullptr);
  if (clearing == nullptr) return;
  clearing->for_ = first_unprovided(clearing->server_, nullptr);
  if (clearing->for_ == &guest) clearing->for_ = nullptr;
  if (clearing->for_ != nullptr) clearing->for_->provision_ = clearing;
}

void WaitingRoom::find_provision(Guest& guest) noexcept {
  if (!guest.is_waiting_.load()) return;
  for (async::ListNode* node = clearings_.empty() ? nullptr : clearings_.front(); node;
       node = clearings_.after(*node)) {
    auto& clearing = static_cast<Clearing&>(*node);
    if (clearing.for_ != nullptr || !guest.wants(clearing.server_)) continue;
    clearing.for_ = &guest;
    guest.provision_ = &clearing;
    return;
  }
}

}  // namespace sallyport::upstream
