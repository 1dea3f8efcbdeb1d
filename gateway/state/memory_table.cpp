#include "gateway/state/memory_table.h"

#include <algorithm>
#include <utility>

namespace sallyport::state {

namespace {

// Values are at most 16 KiB, so that it makes more room than one value takes, and no caller pays for many.
constexpr int most_removed_at_once = 64;
// Beyond it, what was removed stays in the file until a start finds that its time is over.
constexpr std::size_t most_removals_noted = 200'000;

}  // namespace

MemoryEntry* MemoryTable::find(const Fingerprint& key, Time now) {
  const auto found = places_.find(key);
  if (found == places_.end()) return nullptr;
  if (found->second->expires <= now) {
    remove(*found->second);
    return nullptr;
  }
  return &*found->second;
}

MemoryEntry& MemoryTable::add(const Fingerprint& key, std::uint64_t origin, Time now) {
  make_room();
  // Out of memory, the table is as it was; an origin without entries does no harm.
  std::list<MemoryEntry*> of_its_origin{nullptr};
  Entries made;
  made.push_front(MemoryEntry{.key = key, .origin = origin, .begun = now, .used = now});
  Origin& owner = origins_[origin];
  large_origins_.reserve(2 * parts_of_room);
  places_.emplace(key, made.begin());

  MemoryEntry& entry = made.front();
  on_probation_.splice(on_probation_.begin(), made);
  of_its_origin.front() = &entry;
  entry.of_its_origin = of_its_origin.begin();
  owner.on_probation.splice(owner.on_probation.begin(), of_its_origin);
  update(origin, owner);
  return entry;
}

// -- what must go

void MemoryTable::make_room() {
  for (int i = 0; i < most_removed_at_once; ++i) {
    if (places_.size() < bounds_.entries && octets_ <= bounds_.octets) return;
    if (places_.empty()) return;
    remove(first_to_go());
  }
}

double MemoryTable::part_of_room(const Origin& origin) const {
  const auto part = [](std::size_t has, std::size_t room) {
    return static_cast<double>(has) / static_cast<double>(std::max<std::size_t>(room, 1));
  };
  return std::max(part(origin.entries(), bounds_.entries), part(origin.octets, bounds_.octets));
}

// An entry of the largest origin that has more than its part; else of any.
MemoryEntry& MemoryTable::first_to_go() {
  const Origin* largest = nullptr;
  for (const std::uint64_t name : large_origins_) {
    const Origin& one = origins_.at(name);
    if (!largest || part_of_room(one) > part_of_room(*largest)) largest = &one;
  }
  if (largest) return largest->on_probation.empty() ? *largest->established.back() : *largest->on_probation.back();
  return on_probation_.empty() ? established_.back() : on_probation_.back();
}

// The same of established entries.
MemoryEntry& MemoryTable::first_to_prove_itself_again() {
  const Origin* largest = nullptr;
  for (const std::uint64_t name : large_origins_) {
    const Origin& one = origins_.at(name);
    if (one.established.empty()) continue;
    if (!largest || one.established.size() > largest->established.size()) largest = &one;
  }
  return largest ? *largest->established.back() : established_.back();
}

// Keeps large_origins_ right after the origin has become larger or smaller. Allocates nothing.
void MemoryTable::update(std::uint64_t name, Origin& origin) {
  const bool is_large = part_of_room(origin) * parts_of_room > 1;
  if (is_large && !origin.is_large && large_origins_.size() < large_origins_.capacity()) {
    large_origins_.push_back(name);
    origin.is_large = true;
  } else if (!is_large && origin.is_large) {
    std::erase(large_origins_, name);
    origin.is_large = false;
  }
  if (origin.entries() == 0) origins_.erase(name);
}

void MemoryTable::set_bounds(const Bounds& bounds) {
  bounds_ = bounds;
  for (auto& [name, origin] : origins_) {
    if (origin.entries() > 0) update(name, origin);
  }
}

void MemoryTable::remove(MemoryEntry& entry) {
  note_removed(entry.key);
  const auto owner = origins_.find(entry.origin);
  octets_ -= entry.value.size();
  owner->second.octets -= entry.value.size();
  owner->second.list_of(entry).erase(entry.of_its_origin);
  update(owner->first, owner->second);
  const auto place = places_.find(entry.key);
  const Entries::iterator at = place->second;
  places_.erase(place);
  list_of(entry).erase(at);
}

void MemoryTable::note_removed(const Fingerprint& key) {
  if (removed_.size() < most_removals_noted) removed_.push_back(key);
}

// -- what stays

void MemoryTable::use(MemoryEntry& entry, Time now) {
  entry.used = now;
  if (!entry.is_established && now - entry.begun >= proving_time) return establish(entry);
  move(entry, entry.is_established);
}

void MemoryTable::establish(MemoryEntry& entry) {
  if (entry.is_established) return;
  move(entry, true);
  if (established_.size() > bounds_.entries / 5 * 4) move(first_to_prove_itself_again(), false);
}

// To the front of its list, or of the other one.
void MemoryTable::move(MemoryEntry& entry, bool is_established) {
  Origin& origin = origins_.at(entry.origin);
  Entries& from = list_of(entry);
  std::list<MemoryEntry*>& from_origin = origin.list_of(entry);
  entry.is_established = is_established;
  Entries& to = list_of(entry);
  std::list<MemoryEntry*>& to_origin = origin.list_of(entry);
  to.splice(to.begin(), from, places_.at(entry.key));
  to_origin.splice(to_origin.begin(), from_origin, entry.of_its_origin);
}

void MemoryTable::set_value(MemoryEntry& entry, std::string value) {
  Origin& origin = origins_.at(entry.origin);
  octets_ += value.size() - entry.value.size();
  origin.octets += value.size() - entry.value.size();
  entry.value = std::move(value);
  update(entry.origin, origin);
}

void MemoryTable::restore(MemoryEntry entry) {
  if (places_.contains(entry.key)) return;
  MemoryEntry& made = add(entry.key, entry.origin, entry.begun);
  made.expires = entry.expires;
  made.moment = entry.moment;
  made.used = entry.used;
  set_value(made, std::move(entry.value));
  if (entry.is_established) establish(made);
}

// -- the changes

void MemoryTable::note(MemoryEntry& entry) {
  if (entry.is_noted) return;
  if (noted_.size() >= 2 * (bounds_.entries + 1)) forget_removed_notes();
  noted_.push_back(entry.key);
  entry.is_noted = true;
}

void MemoryTable::note_all() {
  for (Entries* list : {&established_, &on_probation_}) {
    for (MemoryEntry& entry : *list) note(entry);
  }
}

// Nobody takes the changes, and keys come and go.
void MemoryTable::forget_removed_notes() {
  noted_.clear();
  for (const Entries* list : {&established_, &on_probation_}) {
    for (const MemoryEntry& entry : *list) {
      if (entry.is_noted) noted_.push_back(entry.key);
    }
  }
}

MemoryTable::Changes MemoryTable::take_changes(std::size_t most) {
  Changes changes;
  const std::size_t removed = std::min(most, removed_.size());
  changes.removed.assign(removed_.end() - static_cast<std::ptrdiff_t>(removed), removed_.end());
  const std::size_t noted = std::min(most - removed, noted_.size());
  for (std::size_t i = noted_.size() - noted; i < noted_.size(); ++i) {
    const auto found = places_.find(noted_[i]);
    if (found == places_.end()) continue;
    changes.entries.push_back(*found->second);
    found->second->is_noted = false;
  }
  // Only now, when nothing can fail any more.
  removed_.resize(removed_.size() - removed);
  noted_.resize(noted_.size() - noted);
  changes.is_all = removed_.empty() && noted_.empty();
  return changes;
}

}  // namespace sallyport::state
