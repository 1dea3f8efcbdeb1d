#include "gateway/base/score_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace sallyport {
namespace {

TEST(ScoreText, IsShort) {
  EXPECT_EQ(score_text(8.0), "8");
  EXPECT_EQ(score_text(0.0), "0");
  EXPECT_EQ(score_text(100.0), "100");
  EXPECT_EQ(score_text(2.5), "2.5");
  EXPECT_EQ(score_text(-5.25), "-5.25");
  EXPECT_EQ(score_text(0.125), "0.125");
}

TEST(ScoreText, ShowsNoMoreThanWasPutIn) {
  EXPECT_EQ(score_text(0.1 + 0.2), "0.3");
  EXPECT_EQ(score_text(1.1 + 2.2 - 3.3), "0");
  EXPECT_EQ(score_text(-0.0001), "0");
  EXPECT_EQ(score_text(0.9999), "1");
}

TEST(ScoreText, HasNoExponent) {
  EXPECT_EQ(score_text(1234567.0), "1234567");
  EXPECT_EQ(score_text(1e15), "1000000000000000");
}

TEST(ScoreText, SaysWhatIsNoNumber) {
  EXPECT_EQ(score_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(score_text(std::numeric_limits<double>::quiet_NaN()), "nan");
}

}  // namespace
}  // namespace sallyport
