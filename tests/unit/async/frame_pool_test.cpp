#include "gateway/async/frame_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "gateway/async/kept_frames.h"
#include "gateway/base/sanitizers.h"

namespace sallyport::async {
namespace {

struct Frame {
  void* place;
  std::size_t octets;
  unsigned char mark;
};

// Frames of all sizes, more than are kept of each, freed in any order: none overlaps another.
void shuffle_frames(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Frame> frames;
  for (int round = 0; round < 20'000; ++round) {
    if (frames.empty() || random() % 5 < 3) {
      std::size_t octets = 1 + random() % 2500;
      auto mark = static_cast<unsigned char>(random());
      void* place = allocate_frame(octets);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(place) % alignof(std::max_align_t), 0u);
      std::memset(place, mark, octets);
      frames.push_back({place, octets, mark});
    } else {
      std::swap(frames[random() % frames.size()], frames.back());
      Frame frame = frames.back();
      frames.pop_back();
      auto* octets = static_cast<unsigned char*>(frame.place);
      for (std::size_t i = 0; i < frame.octets; ++i) ASSERT_EQ(octets[i], frame.mark);
      free_frame(frame.place, frame.octets);
    }
  }
  for (const Frame& frame : frames) free_frame(frame.place, frame.octets);
}

TEST(FramePool, GivesEachFrameItsOwnPlace) { shuffle_frames(1); }

TEST(FramePool, IsOnePerThread) {
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) threads.emplace_back(shuffle_frames, seed);
  for (std::thread& thread : threads) thread.join();
}

TEST(FramePool, TakesAFrameThatAnotherThreadMade) {
  void* frame = allocate_frame(200);
  std::thread([frame] { free_frame(frame, 200); }).join();
  void* next = allocate_frame(200);
  free_frame(next, 200);
}

TEST(FramePool, KeepsAtMostSomeOfEachSize) {
  std::vector<void*> frames;
  for (int i = 0; i < 1000; ++i) frames.push_back(allocate_frame(100));
  for (void* frame : frames) free_frame(frame, 100);
  for (void*& frame : frames) frame = allocate_frame(128);  // of the same class as 100
  for (void* frame : frames) free_frame(frame, 128);
}

TEST(FramePool, AfterABurstLittleIsKept) {
  std::vector<void*> frames;
  for (int i = 0; i < 1000; ++i) frames.push_back(allocate_frame(700));
  for (void* frame : frames) free_frame(frame, 700);
  std::size_t kept = free_half_of_kept_frames();
  if (!has_sanitizers) {
    EXPECT_GE(kept, 100u);
  }
  for (int i = 0; i < 10; ++i) kept = free_half_of_kept_frames();
  EXPECT_EQ(kept, 0u);
  shuffle_frames(2);
}

TEST(FramePool, TheLowestAreKeptAndUsedFirst) {
  if (has_sanitizers) GTEST_SKIP() << "frames are not kept";
  while (free_half_of_kept_frames() > 0) continue;
  std::vector<void*> frames;
  for (int i = 0; i < 100; ++i) frames.push_back(allocate_frame(1000));
  std::shuffle(frames.begin(), frames.end(), std::mt19937(3));
  for (void* frame : frames) free_frame(frame, 1000);
  EXPECT_EQ(free_half_of_kept_frames(), 50u);
  std::sort(frames.begin(), frames.end(), std::less<>());
  frames.resize(50);
  for (void* const frame : frames) EXPECT_EQ(allocate_frame(1000), frame);
  for (void* const frame : frames) free_frame(frame, 1000);
}

}  // namespace
}  // namespace sallyport::async
