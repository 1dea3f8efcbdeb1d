#include "gateway/base/heap.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <memory>
#include <vector>

#include "gateway/base/sanitizers.h"

namespace sallyport {
namespace {

constexpr std::size_t MiB = 1u << 20;

std::size_t resident() {
  std::size_t size = 0, pages = 0;
  std::ifstream("/proc/self/statm") >> size >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

class Heap : public testing::Test {
 protected:
  void SetUp() override {
    if (has_sanitizers) GTEST_SKIP() << "a sanitizer has a heap of its own";
  }
};

// In a process of its own, as the settings stay.
TEST_F(Heap, OneLargeBlockDoesNotDecideWhereTheNextComesFrom) {
  const auto try_it = [] {
    settle_heap();
    // Called by name, as the compiler may leave out what a new-expression asks for.
    ::operator delete(::operator new(16 * MiB));
    const std::size_t before = ::mallinfo2().hblkhd;
    void* const large = ::operator new(MiB);
    const std::size_t after = ::mallinfo2().hblkhd;
    ::operator delete(large);
    ::_exit(after >= before + MiB ? 0 : 1);
  };
  EXPECT_EXIT(try_it(), testing::ExitedWithCode(0), "");
}

TEST_F(Heap, WhatIsFreeBetweenBlocksInUseGoesBack) {
  const auto try_it = [] {
    settle_heap();
    std::vector<std::unique_ptr<char[]>> large, small;
    for (int i = 0; i < 1000; ++i) {
      large.push_back(std::make_unique<char[]>(64 * 1024));
      small.push_back(std::make_unique<char[]>(100));
    }
    large.clear();
    const std::size_t kept = resident();
    trim_heap();
    ::_exit(resident() + 40 * MiB < kept ? 0 : 1);
  };
  EXPECT_EXIT(try_it(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sallyport
