#include "gateway/app/all_done.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <optional>
#include <thread>

namespace {

thread_local bool is_without_memory = false;

}  // namespace

void* operator new(std::size_t octets) {
  void* const place = is_without_memory ? nullptr : std::malloc(octets != 0 ? octets : 1);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }

namespace sallyport::app {
namespace {

struct Shared {
  int value = 0;
};

Task<bool> wait_for(AllDone<Shared>& all_done, uv::Loop& loop, Duration patience) {
  co_return co_await all_done.wait(loop.scheduler().now() + patience);
}

TEST(AllDone, IsOverWhenTheLastShareIsGone) {
  uv::Loop loop;
  AllDone<Shared> all_done(loop);
  std::thread other([share = all_done.share()] { share->value = 5; });
  EXPECT_TRUE(loop.run_until_done(wait_for(all_done, loop, std::chrono::seconds(20))));
  other.join();
  EXPECT_EQ(all_done.shared().value, 5);
}

TEST(AllDone, IsNotOverAsLongAsSomebodyHasAShare) {
  uv::Loop loop;
  AllDone<Shared> all_done(loop);
  const auto share = all_done.share();
  EXPECT_FALSE(loop.run_until_done(wait_for(all_done, loop, std::chrono::milliseconds(500))));
}

// The share is destroyed where nothing may be thrown.
TEST(AllDone, IsOverThoughThereIsNoMemoryToWakeWhoWaits) {
  uv::Loop loop;
  AllDone<Shared> all_done(loop);
  std::thread other([share = std::optional(all_done.share())]() mutable {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    is_without_memory = true;
    share.reset();
    is_without_memory = false;
  });
  EXPECT_TRUE(loop.run_until_done(wait_for(all_done, loop, std::chrono::seconds(20))));
  other.join();
}

}  // namespace
}  // namespace sallyport::app
