// Commands that come as fast as they are obeyed take their share of each turn of the loop.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "gateway/async/share.h"
#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

std::string noops(std::size_t number) {
  std::string all;
  while (number-- > 0) all += "NOOP\r\n";
  return all;
}

std::size_t lines_of(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

class ManyCommands : public testing::Test {
 protected:
  void SetUp() override {
    world.settings.limits.junk_commands = 1'000'000;
    world.greet();
  }
  // How many turns of the loop it takes to obey so many commands that come at once.
  std::uint64_t turns_for(std::size_t number) {
    const std::uint64_t before = world.loop.scheduler().turn();
    EXPECT_EQ(lines_of(world.say(noops(number))), number);
    return world.loop.scheduler().turn() - before;
  }

  static constexpr std::size_t most_in_a_turn = async::Scheduler::octets_per_turn / async::octets_of_a_command;
  World world;
};

TEST_F(ManyCommands, AreObeyedInSeveralTurns) {
  constexpr std::size_t number = 2500;  // less than a block of input
  static_assert(number > 2 * most_in_a_turn);
  EXPECT_GE(turns_for(number), 2u);
}

TEST_F(ManyCommands, AFewAreObeyedAtOnce) { EXPECT_EQ(turns_for(100), 0u); }

}  // namespace
}  // namespace sallyport::session
