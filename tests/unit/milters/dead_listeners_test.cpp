#include "policies/milters/dead_listeners.h"

#include <gtest/gtest.h>

#include <vector>

namespace sallyport::policies {
namespace {

class OneListener final : public Advice {
 public:
  std::string path(std::string_view key) const override { return "policy." + std::string(key); }
  bool is_given(std::string_view) const override { return true; }
  bool is_listened_on(const Endpoint& address) const override { return address.to_string() == "192.0.2.1:25"; }
  void warn(std::initializer_list<std::string_view>, std::string message) override {
    warnings.push_back(std::move(message));
  }
  std::vector<std::string> warnings;
};

std::vector<std::string> warnings_of(std::initializer_list<const char*> listeners, Mode mode = Mode::enforce) {
  MiltersSettings settings;
  MilterSettings& milter = settings.milters.emplace_back();
  milter.name = "dkim";
  milter.mode = mode;
  for (const char* listener : listeners) milter.listeners.push_back(*SocketAddress::parse(listener));
  OneListener advice;
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

}  // namespace
}  // namespace sallyport::policies
