#include "policies/milters/scarce_connections.h"

#include <gtest/gtest.h>

#include "tests/unit/milters/told_advice.h"

namespace sallyport::policies {
namespace {

std::vector<std::string> warnings_of(std::uint64_t most, std::size_t workers, Mode mode = Mode::enforce) {
  MiltersSettings settings;
  MilterSettings& milter = settings.milters.emplace_back();
  milter.name = "dkim";
  milter.mode = mode;
  milter.max_connections = most;
  ToldAdvice advice(workers);
  find_scarce_connections(settings, advice);
  return advice.warnings;
}

TEST(ScarceConnections, AreNoneWhereEachWorkerHasTwo) {
  EXPECT_TRUE(warnings_of(2, 1).empty());
  EXPECT_TRUE(warnings_of(16, 8).empty());
  EXPECT_TRUE(warnings_of(100, 50).empty());
  EXPECT_TRUE(warnings_of(1, 8, Mode::off).empty()) << "nobody waits for it";
}

TEST(ScarceConnections, AreToldWithTheirMilter) {
  const std::string begin = "max_connections = ";
  const std::string middle =
      " of the milter \"dkim\" is less than two for each of the 8 workers: one client whose mails take it long can "
      "hold up all that a worker serves";
  EXPECT_EQ(warnings_of(15, 8), std::vector{begin + "15" + middle});
  EXPECT_EQ(warnings_of(8, 8), std::vector{begin + "8" + middle});
}

TEST(ScarceConnections, AreMoreThanAllowedWhereEachWorkerHasOne) {
  const auto told = warnings_of(7, 8);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told.front().ends_with("; and as each worker has one, there are up to 8 connections")) << told.front();
}

}  // namespace
}  // namespace sallyport::policies
