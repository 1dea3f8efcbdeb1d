#include "gateway/uv/watcher_room.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cstdlib>
#include <cstring>
#include <optional>

#include "gateway/uv/loop.h"

namespace sallyport::uv {
namespace {

void* nothing(void*, std::size_t) { return nullptr; }

// A table of our own in the place of a loop's.
class WatcherRoomTest : public testing::Test {
 protected:
  static constexpr unsigned places = 30;

  WatcherRoomTest() {
    loop.nwatchers = places;
    loop.watchers = static_cast<uv__io_s**>(std::malloc(table_octets(places)));
    std::memset(loop.watchers, 0x5a, table_octets(places));
    room.emplace(loop);
  }
  ~WatcherRoomTest() override {
    room.reset();
    std::free(loop.watchers);
  }

  static std::size_t table_octets(unsigned count) { return (count + 2) * sizeof(void*); }
  // As libuv does when a descriptor is watched that has no place in the table.
  bool grow_to(unsigned count, WatcherRoom::Reallocate system) {
    void* const larger = WatcherRoom::reallocate(loop.watchers, table_octets(count), system);
    if (larger == nullptr) return false;
    loop.watchers = static_cast<uv__io_s**>(larger);
    loop.nwatchers = count;
    return true;
  }
  bool has_kept_its_octets() const {
    const auto* octets = reinterpret_cast<const unsigned char*>(loop.watchers);
    for (std::size_t i = 0; i < table_octets(places); ++i) {
      if (octets[i] != 0x5a) return false;
    }
    return true;
  }

  uv_loop_t loop{};
  std::optional<WatcherRoom> room;
};

TEST_F(WatcherRoomTest, ADescriptorWithAPlaceNeedsNothing) {
  EXPECT_TRUE(room->make_for(29));
  EXPECT_FALSE(grow_to(62, nothing)) << "nothing has been kept";
}

TEST_F(WatcherRoomTest, TheTableGrowsByWhatWasKeptWhenTheSystemGivesNothing) {
  ASSERT_TRUE(room->make_for(30));
  ASSERT_TRUE(grow_to(62, nothing));
  EXPECT_TRUE(has_kept_its_octets());
  EXPECT_FALSE(grow_to(126, nothing)) << "it is used once";
}

TEST_F(WatcherRoomTest, HoweverHighTheNumberIs) {
  ASSERT_TRUE(room->make_for(60));
  ASSERT_TRUE(room->make_for(4093));
  ASSERT_TRUE(grow_to(4094, nothing));
  EXPECT_TRUE(has_kept_its_octets());
}

TEST_F(WatcherRoomTest, WhatTheSystemGivesIsTakenFirst) {
  ASSERT_TRUE(room->make_for(30));
  ASSERT_TRUE(grow_to(62, std::realloc));
  ASSERT_TRUE(room->make_for(40)) << "has a place by now";
  EXPECT_TRUE(has_kept_its_octets());
}

TEST_F(WatcherRoomTest, OtherBlocksHaveNoPartInIt) {
  ASSERT_TRUE(room->make_for(30));
  void* const other = std::malloc(16);
  EXPECT_EQ(WatcherRoom::reallocate(other, 64, nothing), nullptr);
  std::free(other);
  EXPECT_EQ(WatcherRoom::reallocate(nullptr, 64, nothing), nullptr);
  EXPECT_TRUE(grow_to(62, nothing));
}

TEST_F(WatcherRoomTest, EachLoopHasWhatItKeeps) {
  uv_loop_t second{};
  second.nwatchers = places;
  void* const table = std::calloc(places + 2, sizeof(void*));
  second.watchers = static_cast<uv__io_s**>(table);
  {
    WatcherRoom of_second(second);
    ASSERT_TRUE(room->make_for(30));
    EXPECT_EQ(WatcherRoom::reallocate(second.watchers, table_octets(62), nothing), nullptr);
    EXPECT_TRUE(grow_to(62, nothing));
  }
  std::free(table);
}

// The number that WatcherRoom makes room for is the one that libuv asks for.
TEST(WatcherRoomOfALoop, IsAsLargeAsLibuvsTableWillBe) {
  Loop loop;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const int high = static_cast<int>(loop.raw()->nwatchers) + 300;
  ASSERT_EQ(::dup2(ends[0], high), high);
  uv_loop_t as_it_was = *loop.raw();
  WatcherRoom room(as_it_was);
  ASSERT_TRUE(room.make_for(high));
  uv_poll_t poll;
  ASSERT_EQ(uv_poll_init(loop.raw(), &poll, high), 0);
  poll.data = nullptr;
  ASSERT_EQ(uv_poll_start(&poll, UV_READABLE, [](uv_poll_t*, int, int) {}), 0);
  const unsigned grown = loop.raw()->nwatchers;
  void* const block = std::malloc(8);
  as_it_was.watchers = static_cast<uv__io_s**>(block);
  void* const kept = WatcherRoom::reallocate(block, (grown + 2) * sizeof(void*), nothing);
  EXPECT_NE(kept, nullptr);
  as_it_was.watchers = nullptr;
  if (kept == nullptr) std::free(block);
  std::free(kept);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll), nullptr);
  uv_run(loop.raw(), UV_RUN_NOWAIT);
  for (const int descriptor : {ends[0], ends[1], high}) ::close(descriptor);
}

}  // namespace
}  // namespace sallyport::uv
