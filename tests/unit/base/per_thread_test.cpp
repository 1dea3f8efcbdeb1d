#include "gateway/base/per_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace sallyport {
namespace {

std::atomic<int> made = 0;
std::atomic<int> destroyed = 0;

struct Counted {
  Counted() { ++made; }
  ~Counted() { ++destroyed; }
  int value = 0;
};

TEST(PerThread, IsOneForEachThreadAndEndsWithIt) {
  made = destroyed = 0;
  std::thread([] {
    PerThread<Counted>::get().value = 7;
    EXPECT_EQ(PerThread<Counted>::get().value, 7);
    EXPECT_EQ(PerThread<Counted>::find(), &PerThread<Counted>::get());
    EXPECT_EQ(made, 1);
    std::thread([] {
      EXPECT_EQ(PerThread<Counted>::get().value, 0);
      EXPECT_EQ(made, 2);
    }).join();
    EXPECT_EQ(destroyed, 1);
    EXPECT_EQ(PerThread<Counted>::get().value, 7);
  }).join();
  EXPECT_EQ(made, 2);
  EXPECT_EQ(destroyed, 2);
}

struct Unaffordable {
  Unaffordable() {
    if (is_short) throw std::bad_alloc();
  }
  static inline std::atomic<bool> is_short = true;
};

TEST(PerThread, IsMadeOnceThereIsMemoryForIt) {
  Unaffordable::is_short = true;
  std::thread([] {
    EXPECT_EQ(PerThread<Unaffordable>::find(), nullptr);
    EXPECT_THROW(PerThread<Unaffordable>::get(), std::bad_alloc);
    Unaffordable::is_short = false;
    EXPECT_NE(PerThread<Unaffordable>::find(), nullptr);
    Unaffordable::is_short = true;
    EXPECT_NO_THROW(PerThread<Unaffordable>::get());
  }).join();
}

struct Late {
  static inline std::atomic<int> destroyed = 0;
  ~Late() { ++destroyed; }
};

struct UsesAnother {
  // Its own end is after that of what it uses, or before: the other is there in any case.
  ~UsesAnother() { EXPECT_NE(PerThread<Late>::find(), nullptr); }
};

TEST(PerThread, IsThereForWhatEndsWithTheThread) {
  std::thread([] {
    PerThread<Late>::get();
    PerThread<UsesAnother>::get();
  }).join();
  const int after = Late::destroyed;
  EXPECT_GE(after, 1);
  std::thread([] {
    PerThread<UsesAnother>::get();
    PerThread<Late>::get();
  }).join();
  EXPECT_GT(Late::destroyed, after);
}

}  // namespace
}  // namespace sallyport
