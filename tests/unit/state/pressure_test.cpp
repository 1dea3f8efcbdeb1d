#include "gateway/state/pressure.h"

#include <gtest/gtest.h>

#include <vector>

namespace sallyport::state {
namespace {

using Level = io::Pressure::Level;

class Sessions {
 public:
  explicit Sessions(std::uint64_t most) : table({most, most}), pressure(table, counters) {}

  void set(std::size_t count) {
    slots.resize(std::min(slots.size(), count));
    const IpAddress client = *IpAddress::parse("192.0.2.1");
    while (slots.size() < count) slots.push_back(table.take(client));
  }

  Counters counters;
  SessionTable table;
  Pressure pressure;
  std::vector<std::unique_ptr<io::SessionSlots::Slot>> slots;
};

TEST(PressureLevel, OfSessions) {
  for (const std::uint64_t most : {100u, 20u, 2000u}) {
    Sessions sessions(most);
    EXPECT_EQ(sessions.pressure.level(), Level::none);
    sessions.set(most * 79 / 100);
    EXPECT_EQ(sessions.pressure.level(), Level::none);
    sessions.set(most * 80 / 100);
    EXPECT_EQ(sessions.pressure.level(), Level::high);
    sessions.set(most * 94 / 100);
    EXPECT_EQ(sessions.pressure.level(), Level::high);
    sessions.set(most * 95 / 100);
    EXPECT_EQ(sessions.pressure.level(), Level::full);
    sessions.set(most / 2);
    EXPECT_EQ(sessions.pressure.level(), Level::none);
  }
}

// Whoever is in sees the others: the ninth of ten is refused, and has been the eighth's neighbour.
TEST(PressureLevel, AsOneInsideSeesIt) {
  Sessions sessions(10);
  sessions.set(8);
  EXPECT_EQ(sessions.pressure.level_for_one_inside(), Level::none);
  sessions.set(9);
  EXPECT_EQ(sessions.pressure.level_for_one_inside(), Level::high);
  Sessions one(1);
  one.set(1);
  EXPECT_EQ(one.pressure.level_for_one_inside(), Level::none);
}

TEST(PressureLevel, OfMemory) {
  Sessions sessions(10);
  sessions.pressure.set_memory(79, 1000);
  EXPECT_EQ(sessions.pressure.level(), Level::none);
  sessions.pressure.set_memory(80, 1000);
  EXPECT_EQ(sessions.pressure.level(), Level::high);
  EXPECT_EQ(sessions.pressure.level_for_one_inside(), Level::high);
  sessions.pressure.set_memory(95, 1000);
  EXPECT_EQ(sessions.pressure.level(), Level::full);
  sessions.pressure.set_memory(300, 1000);
  EXPECT_EQ(sessions.pressure.level(), Level::full);
  sessions.pressure.set_memory(10, 1000);
  EXPECT_EQ(sessions.pressure.level(), Level::none);
}

// Between two looks of the watch, too.
TEST(PressureLevel, OfWhatMessagesHold) {
  Sessions sessions(10);
  sessions.counters.set(Gauge::held_bytes, 1 << 30);
  EXPECT_EQ(sessions.pressure.level(), Level::none);  // nobody knows how much memory there is
  sessions.pressure.set_memory(10, 1000);
  sessions.counters.set(Gauge::held_bytes, 799);
  EXPECT_EQ(sessions.pressure.level(), Level::none);
  sessions.counters.set(Gauge::held_bytes, 800);
  EXPECT_EQ(sessions.pressure.level(), Level::high);
  sessions.counters.set(Gauge::held_bytes, 5000);
  EXPECT_EQ(sessions.pressure.level(), Level::full);
}

TEST(PressureLevel, FollowsAReload) {
  Sessions sessions(100);
  sessions.set(50);
  EXPECT_EQ(sessions.pressure.level(), Level::none);
  sessions.table.set_limits({60, 60});
  EXPECT_EQ(sessions.pressure.level(), Level::high);
}

}  // namespace
}  // namespace sallyport::state
