#include "gateway/log_summary/log_time_text.h"

#include <gtest/gtest.h>

namespace sallyport::log_summary {
namespace {

TEST(LogTimeText, ReadsWhatTheLogWrites) {
  const WallTime time = WallTime(std::chrono::seconds(1795384529)) + std::chrono::milliseconds(123);
  EXPECT_EQ(parse_log_time(log_time(time)), time);
}

TEST(LogTimeText, WhatIsMissingIsZero) {
  const auto midnight = parse_log_time("2026-11-22T00:00:00Z");
  ASSERT_TRUE(midnight);
  EXPECT_EQ(parse_log_time("2026-11-22"), midnight);
  EXPECT_EQ(parse_log_time("2026-11-22 00:00"), midnight);
  EXPECT_EQ(log_time(*parse_log_time("2026-11-22 07:05")), "2026-11-22T07:05:00.000Z");
}

TEST(LogTimeText, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026", "2999-01-01", "0001-01-01", "2026-13-01", "2026-02-30", "2026-11-22T25:00", "2026-11-22T10:60",
        "2026-11-22x", "2026-11-22T10:00:00.", "2026-11-22T10:00:00ZZ", "info", "2026-11-22T10"})
    EXPECT_FALSE(parse_log_time(text)) << text;
}

TEST(LogTimeText, SinceMayBeRelative) {
  const WallTime now = *parse_log_time("2026-11-22T10:20:30Z");
  EXPECT_EQ(parse_since("today", now), parse_log_time("2026-11-22"));
  EXPECT_EQ(parse_since("yesterday", now), parse_log_time("2026-11-21"));
  EXPECT_EQ(parse_since("24h", now), parse_log_time("2026-11-21T10:20:30Z"));
  EXPECT_EQ(parse_since("7d", now), parse_log_time("2026-11-15T10:20:30Z"));
  EXPECT_EQ(parse_since("2026-11-01", now), parse_log_time("2026-11-01"));
  EXPECT_FALSE(parse_since("tomorrow", now));
}

}  // namespace
}  // namespace sallyport::log_summary
