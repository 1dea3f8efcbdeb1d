// The meter with clocks of the test.
#include "lua/engine/meter.h"

#include <gtest/gtest.h>

#include "lua/engine/engine.h"

namespace sallyport::lua {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Time beginning{std::chrono::hours(1)};
Time now;
Duration step;  // of each look at the clock; one at the other takes a microsecond of this thread's
int share;      // one of so many parts of the time has this thread

class MeterTest : public testing::Test {
 protected:
  MeterTest() {
    now = beginning;
    engine_.context.meter.read(
        {[] { return now += step; }, [] { return ((now += microseconds(share)) - beginning) / share; }});
    engine_.context.can_yield = true;
    L_ = engine_.take_thread().L;
    EXPECT_EQ(luaL_loadstring(L_, "while true do end"), LUA_OK);
  }
  // How many slices it takes until the budget is used up.
  int slices(const Budget& budget) {
    Used used;
    int count = 0;
    while (used.breach == Breach::none && used.cpu < budget.cpu && count < 100'000) {
      ++count;
      engine_.context.meter.start(L_, budget, used);
      int results = 0;
      lua_resume(L_, nullptr, 0, &results);
      used = engine_.context.meter.stop();
    }
    EXPECT_GE(used.cpu, budget.cpu);
    return count;
  }

 private:
  const RuleSettings settings_;
  Engine engine_{settings_};
  lua_State* L_ = nullptr;
};

constexpr Budget budget{milliseconds(50), 1 << 20, 1 << 20, microseconds(100)};

TEST_F(MeterTest, GivesARunItsTimeInSlices) {
  step = microseconds(10);
  share = 1;
  const int count = slices(budget);
  EXPECT_GT(count, 250);
  EXPECT_LT(count, 1000);
}

// Before each check of the time, others had the processor for much longer than this thread.
TEST_F(MeterTest, DoesNotCountWhatOthersCompute) {
  step = milliseconds(10);
  share = 500;
  EXPECT_GT(slices(budget), 500);
}

}  // namespace
}  // namespace sallyport::lua
