#include "gateway/app/pressure_watch.h"

#include <gtest/gtest.h>

#include "tests/support/lines_log.h"

namespace sallyport::app {
namespace {

using Level = io::Pressure::Level;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t MiB = 1u << 20;

class PressureWatchTest : public testing::Test {
 protected:
  // With so many MiB in use of the 100 that the start has left.
  void look(std::uint64_t in_use, Duration later = milliseconds(200)) {
    now_ += later;
    watch_.look({{ProcessMemory::Measure::resident, 110 * MiB}}, configured_, {0, (10 + in_use) * MiB, 0}, now_);
  }

  Counters counters_;
  support::LinesLog log_;
  state::SessionTable table_{{100, 100}};
  state::Pressure pressure_{table_, counters_};
  PressureWatch watch_{pressure_, counters_, log_, {0, 10 * MiB, 0}};
  Time now_{};
  std::uint64_t configured_ = 0;
};

TEST_F(PressureWatchTest, TellsAllAtOnce) {
  look(50);
  EXPECT_EQ(pressure_.level(), Level::none);
  EXPECT_EQ(counters_.get(Gauge::pressure_percent), 50);
  EXPECT_EQ(counters_.get(Gauge::memory_bytes), static_cast<std::int64_t>(60 * MiB));
  EXPECT_EQ(counters_.get(Gauge::memory_limit_bytes), static_cast<std::int64_t>(100 * MiB));
  look(81);
  EXPECT_EQ(pressure_.level(), Level::high);
  look(96);
  EXPECT_EQ(pressure_.level(), Level::full);
  look(10);
  EXPECT_EQ(pressure_.level(), Level::none);
}

TEST_F(PressureWatchTest, LogsEachWayOnce) {
  for (int i = 0; i < 50; ++i) look(85);
  EXPECT_EQ(log_.count({"event=pressure"}), 1u);
  EXPECT_EQ(log_.count({"event=pressure", "pressure=high", "memory=85", "sessions=0"}), 1u);
  EXPECT_TRUE(pressure_.is_recent());
  look(20);
  EXPECT_EQ(pressure_.level(), Level::none);
  EXPECT_TRUE(pressure_.is_recent());
  for (int i = 0; i < 50; ++i) look(20);
  EXPECT_FALSE(pressure_.is_recent());
  EXPECT_EQ(log_.count({"event=pressure"}), 2u);
  EXPECT_EQ(log_.count({"event=pressure", "pressure=none"}), 1u);
}

TEST_F(PressureWatchTest, AtTheEdgeItLogsNotEachTurn) {
  for (int i = 0; i < 100; ++i) look(i % 2 == 0 ? 85 : 70);
  EXPECT_EQ(log_.count({"event=pressure"}), 1u);
}

TEST_F(PressureWatchTest, LogsThatItRises) {
  look(85);
  look(97);
  EXPECT_EQ(log_.count({"event=pressure", "pressure=full"}), 1u);
  look(85, seconds(1));
  look(85, seconds(10));
  EXPECT_EQ(log_.count({"event=pressure", "pressure=high"}), 2u);
}

TEST_F(PressureWatchTest, WhatTheConfigurationAllowsIsOneMoreLimit) {
  configured_ = 60 * MiB;
  look(40);
  EXPECT_EQ(counters_.get(Gauge::pressure_percent), 80);
  configured_ = 600 * MiB;
  look(40);
  EXPECT_EQ(counters_.get(Gauge::pressure_percent), 40);
}

TEST_F(PressureWatchTest, SessionsCountToo) {
  std::vector<std::unique_ptr<io::SessionSlots::Slot>> slots;
  for (int i = 0; i < 90; ++i) slots.push_back(table_.take(*IpAddress::parse("192.0.2.1")));
  look(3);
  EXPECT_EQ(log_.count({"event=pressure", "pressure=high", "sessions=90"}), 1u);
  EXPECT_EQ(counters_.get(Gauge::pressure_percent), 90);
}

TEST_F(PressureWatchTest, TheHeapIsTrimmedWhereMailsDoNotHoldWhatIsInUse) {
  look(50);
  EXPECT_FALSE(watch_.wants_trim(now_));
  look(90);
  EXPECT_TRUE(watch_.wants_trim(now_));
  look(90);
  EXPECT_FALSE(watch_.wants_trim(now_));
  look(90, seconds(5));
  EXPECT_TRUE(watch_.wants_trim(now_));
  counters_.set(Gauge::held_bytes, static_cast<std::int64_t>(80 * MiB));
  look(90, seconds(5));
  EXPECT_FALSE(watch_.wants_trim(now_));
}

TEST_F(PressureWatchTest, WithoutPressureTheHeapIsTrimmedNowAndThen) {
  const auto trims_in_ten_minutes = [this] {
    int trims = 0;
    for (int i = 0; i < 10 * 60 * 5; ++i) {
      look(30);
      if (watch_.wants_trim(now_)) ++trims;
    }
    return trims;
  };
  const int trims = trims_in_ten_minutes();
  EXPECT_GE(trims, 59);
  EXPECT_LE(trims, 60);
  watch_.trim_took(milliseconds(60));
  EXPECT_LE(trims_in_ten_minutes(), 10);
  watch_.trim_took(milliseconds(1));
  EXPECT_GE(trims_in_ten_minutes(), 59);
}

}  // namespace
}  // namespace sallyport::app
