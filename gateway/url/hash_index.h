// HashIndex: which of a list's entries has a hash, for hashes that nobody can choose (sip_hash.h). One block of memory,
// where a map would have one for each entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace sallyport::url {

class HashIndex {
 public:
  std::optional<std::uint32_t> find(std::uint64_t hash) const {
    if (slots_.empty()) return std::nullopt;
    const Slot& slot = slots_[place_of(hash, slots_)];
    return slot.is_taken ? std::optional(slot.entry) : std::nullopt;
  }
  // `hash` must not be there yet.
  void add(std::uint64_t hash, std::uint32_t entry) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    slots_[place_of(hash, slots_)] = {hash, entry, true};
    ++count_;
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t entry = 0;
    bool is_taken = false;
  };
  static constexpr std::size_t least_slots = 128;  // a power of two, as all its doubles

  // Where it stands, or would.
  static std::size_t place_of(std::uint64_t hash, const std::vector<Slot>& slots) {
    std::size_t at = static_cast<std::size_t>(hash) & (slots.size() - 1);
    while (slots[at].is_taken && slots[at].hash != hash) at = (at + 1) & (slots.size() - 1);
    return at;
  }
  void grow() {
    std::vector<Slot> larger(slots_.empty() ? least_slots : 2 * slots_.size());
    for (const Slot& slot : slots_) {
      if (slot.is_taken) larger[place_of(slot.hash, larger)] = slot;
    }
    slots_ = std::move(larger);
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

}  // namespace sallyport::url
