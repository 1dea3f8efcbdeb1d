#include "gateway/milter_library/macro_set.h"

#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <random>
#include <vector>

#include "gateway/base/sip_hash.h"

namespace sallyport::milter_library {

// The octets follow it in memory.
struct MacroSet::Block {
  std::uint32_t holders;  // 0: the block is the one holder's own, and not in the table
  std::uint32_t octets;
  std::uint32_t hash;

  static Block* make(std::string_view pairs) {
    void* memory = ::operator new(sizeof(Block) + pairs.size());
    auto* block = new (memory) Block{0, static_cast<std::uint32_t>(pairs.size()), 0};
    std::memcpy(block->text(), pairs.data(), pairs.size());
    return block;
  }
  static void destroy(Block* block) { ::operator delete(block); }

  char* text() { return reinterpret_cast<char*>(this + 1); }
  std::string_view pairs() { return {text(), octets}; }
};

// Shared blocks, found by what is in them: open addressing, a place is searched from the hash's on. What MTAs send is
// chosen by strangers in part, so the hash has a key.
struct MacroSet::Table {
  std::mutex mutex;
  std::vector<Block*> places = std::vector<Block*>(fewest_places);
  std::size_t count = 0;
  HashKey key;

  static constexpr std::size_t fewest_places = 64;  // a power of two, as it stays

  Table() {
    std::random_device random;
    for (std::uint64_t& half : key) half = std::uint64_t{random()} << 32 | random();
  }

  std::uint32_t hash_of(std::string_view pairs) const {
    SipHash<1, 3> hash(key);
    hash.add(pairs);
    return static_cast<std::uint32_t>(hash.finish());
  }
  std::size_t next(std::size_t place) const { return (place + 1) & (places.size() - 1); }
  std::size_t home(std::uint32_t hash) const { return hash & (places.size() - 1); }

  Block* find(std::uint32_t hash, std::string_view pairs) const {
    for (std::size_t place = home(hash); places[place] != nullptr; place = next(place)) {
      if (places[place]->hash == hash && places[place]->pairs() == pairs) return places[place];
    }
    return nullptr;
  }

  void put(Block* block) {
    std::size_t place = home(block->hash);
    while (places[place] != nullptr) place = next(place);
    places[place] = block;
  }

  // Throws bad_alloc before anything has changed.
  void make_room() {
    if ((count + 1) * 4 <= places.size() * 3) return;
    std::vector<Block*> old(places.size() * 2);
    old.swap(places);
    for (Block* block : old) {
      if (block != nullptr) put(block);
    }
  }

  void add(Block* block) {
    make_room();
    put(block);
    ++count;
  }

  // Those behind it move up, or they would not be found over the gap.
  void remove(const Block* block) {
    std::size_t gap = home(block->hash);
    while (places[gap] != block) gap = next(gap);
    for (std::size_t place = next(gap); places[place] != nullptr; place = next(place)) {
      const std::size_t distance_to_home = (place - home(places[place]->hash)) & (places.size() - 1);
      const std::size_t distance_to_gap = (place - gap) & (places.size() - 1);
      if (distance_to_home < distance_to_gap) continue;
      places[gap] = places[place];
      gap = place;
    }
    places[gap] = nullptr;
    --count;
  }
};

// Never taken down: callbacks may still run while the process ends.
MacroSet::Table& MacroSet::table() {
  static Table& one = *new Table;
  return one;
}

MacroSet::MacroSet(std::string_view pairs) {
  Table& shared = table();
  const std::uint32_t hash = shared.hash_of(pairs);
  const std::lock_guard lock(shared.mutex);
  Block* block = shared.find(hash, pairs);
  if (block == nullptr) {
    shared.make_room();
    block = Block::make(pairs);
    block->hash = hash;
    shared.add(block);
  }
  ++block->holders;
  block_ = block;
}

MacroSet& MacroSet::operator=(MacroSet&& other) noexcept {
  if (this == &other) return *this;
  reset();
  block_ = std::exchange(other.block_, nullptr);
  return *this;
}

void MacroSet::reset() {
  Block* block = std::exchange(block_, nullptr);
  if (block == nullptr) return;
  Table& shared = table();
  const std::lock_guard lock(shared.mutex);
  if (block->holders > 1) {
    --block->holders;
    return;
  }
  if (block->holders == 1) shared.remove(block);
  Block::destroy(block);
}

std::string_view MacroSet::pairs() const { return block_ == nullptr ? std::string_view() : block_->pairs(); }

char* MacroSet::own_pairs() {
  Table& shared = table();
  const std::lock_guard lock(shared.mutex);
  if (block_->holders == 0) return block_->text();
  if (block_->holders == 1) {
    shared.remove(block_);
    block_->holders = 0;
    return block_->text();
  }
  Block* own = Block::make(block_->pairs());
  --block_->holders;
  block_ = own;
  return own->text();
}

std::size_t MacroSet::shared_sets() {
  Table& shared = table();
  const std::lock_guard lock(shared.mutex);
  return shared.count;
}

}  // namespace sallyport::milter_library
