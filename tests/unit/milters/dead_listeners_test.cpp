#include "policies/milters/dead_listeners.h"

#include <gtest/gtest.h>

#include "tests/unit/milters/told_advice.h"

namespace sallyport::policies {
namespace {

std::vector<std::string> warnings_of(std::initializer_list<const char*> listeners, Mode mode = Mode::enforce) {
  MiltersSettings settings;
  MilterSettings& milter = settings.milters.emplace_back();
  milter.name = "dkim";
  milter.mode = mode;
  for (const char* listener : listeners) milter.listeners.push_back(*SocketAddress::parse(listener));
  ToldAdvice advice;
  find_dead_listeners(settings, advice);
  return advice.warnings;
}

TEST(DeadListeners, OfWhatIsThereNothingIsSaid) {
  EXPECT_TRUE(warnings_of({}).empty());
  EXPECT_TRUE(warnings_of({"192.0.2.1:25"}).empty());
  EXPECT_TRUE(warnings_of({"192.0.2.1:587"}, Mode::off).empty()) << "it is asked of nothing anyway";
}

TEST(DeadListeners, AreNamedWithTheirMilter) {
  const std::string begin =
      "no [[listen]] block has the address 192.0.2.1:587, which is among the `listeners` of the milter \"dkim\"";
  EXPECT_EQ(warnings_of({"192.0.2.1:25", "192.0.2.1:587"}), std::vector<std::string>{begin});
  EXPECT_EQ(warnings_of({"192.0.2.1:587"}), std::vector<std::string>{begin + ": it is never asked"});
}

// Each question would come back to the gateway.
TEST(DeadListeners, AListenerOfOursIsNoMilter) {
  MiltersSettings settings;
  MilterSettings& milter = settings.milters.emplace_back();
  milter.name = "self";
  milter.address = {*SocketAddress::parse("192.0.2.1:25")};
  ToldAdvice advice;
  find_dead_listeners(settings, advice);
  ASSERT_EQ(advice.warnings.size(), 1u);
  EXPECT_TRUE(advice.warnings[0].starts_with("the milter \"self\" is this gateway's own listener 192.0.2.1:25: "));

  milter.address = {*SocketAddress::parse("192.0.2.1:8891")};
  advice.warnings.clear();
  find_dead_listeners(settings, advice);
  EXPECT_TRUE(advice.warnings.empty());
}

}  // namespace
}  // namespace sallyport::policies
