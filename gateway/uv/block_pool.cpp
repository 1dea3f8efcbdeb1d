#include "gateway/uv/block_pool.h"

#include <algorithm>
#include <functional>
#include <new>

#include "gateway/base/sanitizers.h"

namespace sallyport::uv {

namespace {

constexpr std::size_t most_octets_kept = has_sanitizers ? 0 : 4 * 1024 * 1024;  // of each size

}  // namespace

std::vector<std::unique_ptr<char[]>>& BlockPool::free_list(std::size_t capacity) noexcept {
  return capacity == bulk_block_octets ? free_bulk_ : free_;
}

BlockPool::Block BlockPool::take(std::size_t capacity) noexcept {
  auto& list = free_list(capacity);
  if (list.empty()) return Block{std::unique_ptr<char[]>(new (std::nothrow) char[capacity]), capacity};
  Block block{std::move(list.back()), capacity};
  list.pop_back();
  return block;
}

void BlockPool::give_back(Block block) noexcept {
  auto& list = free_list(block.capacity);
  if ((list.size() + 1) * block.capacity > most_octets_kept) return;
  try {
    list.push_back(std::move(block.octets));
  } catch (const std::bad_alloc&) {
    // Without memory for the list, the block is freed instead of kept.
  }
}

void BlockPool::free_half() noexcept {
  for (auto* list : {&free_, &free_bulk_}) {
    // Those at the lowest addresses are kept and taken first, so that what lies between others becomes free.
    std::sort(list->begin(), list->end(), std::greater<>());
    list->erase(list->begin(), list->end() - static_cast<std::ptrdiff_t>(list->size() / 2));
  }
}

std::size_t BlockPool::kept_octets() const noexcept {
  return free_.size() * io::block_octets + free_bulk_.size() * bulk_block_octets;
}

}  // namespace sallyport::uv
