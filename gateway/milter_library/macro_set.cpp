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
  std::uint32_t holders;  // 0: the block is the one holder's own, and not found by what is in it
  std::uint32_t octets;
  std::uint32_t hash;
  std::uint32_t number;

  static Block* make(std::string_view pairs) {
    void* memory = ::operator new(sizeof(Block) + pairs.size());
    auto* block = new (memory) Block{0, static_cast<std::uint32_t>(pairs.size()), 0, 0};
    std::memcpy(block->text(), pairs.data(), pairs.size());
    return block;
  }
  static void destroy(Block* block) { ::operator delete(block); }

  char* text() { return reinterpret_cast<char*>(this + 1); }
  std::string_view pairs() { return {text(), octets}; }
};

// All blocks by their number, and the shared ones by what is in them: open addressing, a place is searched from the
// hash's on. What MTAs send is chosen by strangers in part, so the hash has a key.
struct MacroSet::Table {
  std::mutex mutex;
  std::vector<Block*> places = std::vector<Block*>(fewest_places);
  std::size_t count = 0;
  std::vector<Block*> numbered = {nullptr};
  std::vector<std::uint32_t> free_numbers;
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

  Block& at(std::uint32_t number) const { return *numbered[number]; }

  // Throws bad_alloc before anything has changed.
  Block* make(std::string_view pairs) {
    if (free_numbers.empty()) {
      if (free_numbers.capacity() < numbered.size() + 1) free_numbers.reserve(numbered.size() * 2);  // for destroy()
      numbered.push_back(nullptr);
      free_numbers.push_back(static_cast<std::uint32_t>(numbered.size() - 1));
    }
    Block* block = Block::make(pairs);
    block->number = free_numbers.back();
    free_numbers.pop_back();
    numbered[block->number] = block;
    return block;
  }

  void destroy(Block& block) noexcept {
    numbered[block.number] = nullptr;
    free_numbers.push_back(block.number);
    Block::destroy(&block);
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
  Table& all = table();
  const std::uint32_t hash = all.hash_of(pairs);
  const std::lock_guard lock(all.mutex);
  Block* block = all.find(hash, pairs);
  if (block == nullptr) {
    all.make_room();
    block = all.make(pairs);
    block->hash = hash;
    all.add(block);
  }
  ++block->holders;
  number_ = block->number;
}

MacroSet& MacroSet::operator=(MacroSet&& other) noexcept {
  if (this == &other) return *this;
  reset();
  number_ = std::exchange(other.number_, 0);
  return *this;
}

void MacroSet::reset() {
  const std::uint32_t number = std::exchange(number_, 0);
  if (number == 0) return;
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  Block& block = all.at(number);
  if (block.holders > 1) {
    --block.holders;
    return;
  }
  if (block.holders == 1) all.remove(&block);
  all.destroy(block);
}

std::string_view MacroSet::pairs() const {
  if (number_ == 0) return {};
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  return all.at(number_).pairs();
}

char* MacroSet::own_pairs() {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  Block& block = all.at(number_);
  if (block.holders == 1) {
    all.remove(&block);
    block.holders = 0;
  } else if (block.holders > 1) {
    Block* own = all.make(block.pairs());
    --block.holders;
    number_ = own->number;
  }
  return all.at(number_).text();
}

std::size_t MacroSet::shared_sets() {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  return all.count;
}

}  // namespace sallyport::milter_library
