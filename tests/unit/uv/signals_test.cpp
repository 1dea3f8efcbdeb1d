#include "gateway/uv/signals.h"

#include <csignal>

#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

using SignalsTest = OnLoopback;

TEST_F(SignalsTest, CallsBackOnTheLoop) {
  std::vector<int> caught;
  {
    Signals signals(loop, {SIGUSR1, SIGHUP}, [&caught](int signal) { caught.push_back(signal); });
    std::raise(SIGHUP);
    EXPECT_TRUE(caught.empty());
    pass(20ms);
    std::raise(SIGUSR1);
    pass(20ms);
  }
  EXPECT_EQ(caught, (std::vector<int>{SIGHUP, SIGUSR1}));
}

TEST_F(SignalsTest, IgnoresSigpipe) {
  ignore_sigpipe();
  auto [stream, plain] = connection();
  plain.reset();
  pass(10ms);
  EXPECT_EQ(write(*stream, "x"), Outcome(Error::reset));
  EXPECT_EQ(write(*stream, "x"), Outcome(Error::reset));
}

}  // namespace
}  // namespace sallyport::uv
