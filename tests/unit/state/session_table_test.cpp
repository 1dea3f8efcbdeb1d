// Sessions counted in all and per client network (threats.md R5).
#include "gateway/state/session_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace sallyport::state {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

TEST(SessionTable, RefusesOneTooManyOfAClient) {
  SessionTable table({100, 2});
  auto first = table.take(ip("192.0.2.1"));
  auto second = table.take(ip("192.0.2.1"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(table.take(ip("192.0.2.1")), nullptr);
  EXPECT_NE(table.take(ip("192.0.2.2")), nullptr);
  EXPECT_EQ(table.sessions_of(ip("192.0.2.1")), 2u);
  EXPECT_EQ(table.sessions(), 2u);
}

TEST(SessionTable, CountsAClientWithoutABoundOfItsOwnInAllOnly) {
  using Share = io::SessionSlots::Share;
  SessionTable table({4, 1});
  std::vector<std::unique_ptr<io::SessionSlots::Slot>> slots;
  for (int i = 0; i < 4; ++i) slots.push_back(table.take(ip("192.0.2.1"), Share::unlimited));
  for (const auto& slot : slots) EXPECT_NE(slot, nullptr);
  EXPECT_EQ(table.take(ip("192.0.2.1"), Share::unlimited), nullptr) << "limits.sessions";
  slots.clear();
  EXPECT_EQ(table.sessions(), 0u);
  EXPECT_NE(table.take(ip("192.0.2.1")), nullptr);
}

TEST(SessionTable, RefusesOneTooManyInAll) {
  SessionTable table({2, 50});
  auto first = table.take(ip("192.0.2.1"));
  auto second = table.take(ip("192.0.2.2"));
  EXPECT_EQ(table.take(ip("192.0.2.3")), nullptr);
  EXPECT_EQ(table.take(ip("192.0.2.1")), nullptr);
  EXPECT_EQ(table.sessions(), 2u);
  EXPECT_EQ(table.sessions_of(ip("192.0.2.3")), 0u);
  EXPECT_EQ(table.sessions_of(ip("192.0.2.1")), 1u);
}

TEST(SessionTable, TakesNewLimitsFromAReload) {
  SessionTable table({1, 1});
  auto first = table.take(ip("192.0.2.1"));
  EXPECT_EQ(table.take(ip("192.0.2.1")), nullptr);
  table.set_limits({2, 2});
  auto second = table.take(ip("192.0.2.1"));
  EXPECT_NE(second, nullptr);
  table.set_limits({0, 0});
  EXPECT_EQ(table.take(ip("192.0.2.2")), nullptr);
  EXPECT_EQ(table.sessions(), 2u);
}

TEST(SessionTable, CountsAnIpv6NetworkAsOneClient) {
  SessionTable table({100, 2});
  auto first = table.take(ip("2001:db8:1:2::1"));
  auto second = table.take(ip("2001:db8:1:2:ffff::1"));
  EXPECT_EQ(table.take(ip("2001:db8:1:2:abcd::")), nullptr);
  EXPECT_NE(table.take(ip("2001:db8:1:3::1")), nullptr);
}

TEST(SessionTable, CountsAMappedAddressAsItsIpv4Address) {
  EXPECT_EQ(client_network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
}

TEST(SessionTable, GetsAPlaceBackWhenASessionEnds) {
  SessionTable table({1, 1});
  auto slot = table.take(ip("192.0.2.1"));
  ASSERT_NE(slot, nullptr);
  slot.reset();
  EXPECT_EQ(table.sessions(), 0u);
  EXPECT_EQ(table.sessions_of(ip("192.0.2.1")), 0u);
  EXPECT_NE(table.take(ip("192.0.2.1")), nullptr);
}

TEST(SessionTable, NoTenantHasMoreThanHalf) {
  for (const std::uint64_t most : {10u, 3u, 1000u}) {
    SessionTable table({most, most});
    std::vector<std::unique_ptr<io::SessionSlots::Slot>> slots;
    while (auto slot = table.take_for_mail(7)) slots.push_back(std::move(slot));
    EXPECT_EQ(slots.size(), (most + 1) / 2);
    EXPECT_NE(table.take_for_mail(8), nullptr);
    slots.pop_back();
    EXPECT_NE(table.take_for_mail(7), nullptr);
  }
}

TEST(SessionTable, StaysExactUnderManyThreads) {
  SessionTable table({10, 6});
  std::atomic<std::uint64_t> most{0};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&table, &most, worker] {
      for (int i = 0; i < 5000; ++i) {
        auto a = table.take(ip("192.0.2.1"));
        auto b = table.take(IpAddress::v4({10, 0, static_cast<std::uint8_t>(worker), static_cast<std::uint8_t>(i)}));
        auto c = table.take(ip("192.0.2.1"));
        const std::uint64_t seen = table.sessions_of(ip("192.0.2.1"));
        if (seen > most.load()) most = seen;
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_LE(most.load(), 6u);
  EXPECT_GE(most.load(), 1u);
  EXPECT_EQ(table.sessions(), 0u);
}

}  // namespace
}  // namespace sallyport::state
