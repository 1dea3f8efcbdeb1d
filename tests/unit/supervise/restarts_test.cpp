#include "gateway/supervise/restarts.h"

#include <gtest/gtest.h>

namespace sallyport::supervise {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Restarts, ReplacesWhatServedAtOnce) {
  Restarts restarts;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(restarts.delay_after(seconds(2)), Duration::zero());
  EXPECT_EQ(restarts.delay_after(seconds(2)), milliseconds(500));
  EXPECT_EQ(restarts.delay_after(seconds(2)), seconds(1));
}

TEST(Restarts, WaitsLongerAfterEachFailedStart) {
  Restarts restarts;
  Duration before{};
  for (int i = 0; i < 6; ++i) {
    const Duration delay = restarts.delay_after(std::nullopt);
    EXPECT_GT(delay, before);
    before = delay;
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(restarts.delay_after(std::nullopt), seconds(30));
}

TEST(Restarts, ForgetsAfterAMinuteOfService) {
  Restarts restarts;
  for (int i = 0; i < 20; ++i) restarts.delay_after(std::nullopt);
  EXPECT_EQ(restarts.delay_after(minutes(1)), Duration::zero());
  EXPECT_EQ(restarts.delay_after(std::nullopt), milliseconds(500));
}

}  // namespace
}  // namespace sallyport::supervise
