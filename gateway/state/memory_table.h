// MemoryTable: what one tenant's rules remember, in memory: a bounded table of entries by fingerprint.
//
// Who may push out whom (threats.md R16). New entries are on probation; one that is used again after a while is
// established. A full table removes the entry on probation that was used least recently; established entries have up to
// four fifths of the room, and where they become too many, one is on probation again. So a flood of new keys pushes out
// other new ones, never those that have proven themselves.
//
// Each entry belongs to the origin that it was made for, such as a client's network. As long as an origin has more than
// a tenth of the room, what must go is one of its own; of several such origins, the one with the most. So one origin
// takes at most a tenth of the room from all others, whatever it sends and for how long.
//
// It notes what has changed, for the owner to write down. Not thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/base/sip_hash.h"
#include "gateway/base/units.h"

namespace sallyport::state {

struct MemoryEntry {
  Fingerprint key;
  std::uint64_t origin = 0;
  Time expires{};
  Time moment{};  // of a sight: the first one; of a rate: when the whole allowance is there again
  Time begun{};   // when the entry was made
  Time used{};
  std::string value;
  bool is_established = false;
  bool is_noted = false;                              // among the changes that nobody has taken yet
  std::list<MemoryEntry*>::iterator of_its_origin{};  // of the table
};

class MemoryTable {
 public:
  struct Bounds {
    std::size_t entries = 100'000;
    std::size_t octets = 32u << 20;  // of the values
  };
  // An entry is established when it is used so long after it was made.
  static constexpr Duration proving_time = std::chrono::minutes(10);
  // What of the room an origin may have before its own entries are the first to go: one part of so many.
  static constexpr std::size_t parts_of_room = 10;

  explicit MemoryTable(const Bounds& bounds) : bounds_(bounds) {}
  MemoryTable(const MemoryTable&) = delete;
  MemoryTable& operator=(const MemoryTable&) = delete;

  // Null where there is none, or its time is over.
  MemoryEntry* find(const Fingerprint& key, Time now);
  // A new entry for a key that has none; whatever must go for it goes. Valid until the next call.
  MemoryEntry& add(const Fingerprint& key, std::uint64_t origin, Time now);
  // To be called with each use of an entry.
  void use(MemoryEntry& entry, Time now);
  void establish(MemoryEntry& entry);
  void set_value(MemoryEntry& entry, std::string value);
  // To be called after an entry was changed.
  void note(MemoryEntry& entry);
  void note_all();
  // What has exceeded smaller bounds goes with the next entries, a few at a time.
  void set_bounds(const Bounds& bounds);
  // Puts an entry that was written down into its place, as if it had been used now.
  void restore(MemoryEntry entry);

  struct Changes {
    std::vector<MemoryEntry> entries;
    std::vector<Fingerprint> removed;
    bool is_all = true;  // false: there are more
  };
  // At most `most` of what was noted since the last call.
  Changes take_changes(std::size_t most);

  std::size_t size() const { return places_.size(); }
  std::size_t octets() const { return octets_; }

 private:
  using Entries = std::list<MemoryEntry>;
  struct Hash {
    std::size_t operator()(const Fingerprint& key) const noexcept { return key.low; }
  };
  // The entries of one origin, in the same order as in the lists of all.
  struct Origin {
    std::list<MemoryEntry*> established;
    std::list<MemoryEntry*> on_probation;
    std::size_t octets = 0;
    bool is_large = false;  // it has more than its part of the room
    std::size_t entries() const { return established.size() + on_probation.size(); }
    std::list<MemoryEntry*>& list_of(const MemoryEntry& entry) {
      return entry.is_established ? established : on_probation;
    }
  };

  void make_room();
  MemoryEntry& first_to_go();
  MemoryEntry& first_to_prove_itself_again();
  void forget_removed_notes();
  void remove(MemoryEntry& entry);
  void note_removed(const Fingerprint& key);
  Entries& list_of(const MemoryEntry& entry) { return entry.is_established ? established_ : on_probation_; }
  void move(MemoryEntry& entry, bool is_established);
  double part_of_room(const Origin& origin) const;
  void update(std::uint64_t name, Origin& origin);

  Bounds bounds_;
  Entries established_;   // used most recently first
  Entries on_probation_;  // likewise
  std::unordered_map<Fingerprint, Entries::iterator, Hash> places_;
  std::unordered_map<std::uint64_t, Origin> origins_;  // by a keyed hash
  std::vector<std::uint64_t> large_origins_;           // fewer than 2 * parts_of_room
  std::size_t octets_ = 0;
  std::vector<Fingerprint> noted_;
  std::vector<Fingerprint> removed_;
};

}  // namespace sallyport::state
