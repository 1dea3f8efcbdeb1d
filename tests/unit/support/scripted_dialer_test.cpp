#include "tests/support/scripted_dialer.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/manual_loop.h"

namespace sallyport::support {
namespace {

using namespace std::chrono_literals;
using io::Error;

SocketAddress address(std::uint8_t last_octet) { return {IpAddress::v4({192, 0, 2, last_octet}), 25}; }

Task<void> greet(std::unique_ptr<MemoryStream> stream, std::string name) {
  std::string greeting = "220 " + name + "\r\n";
  auto written = co_await stream->write(greeting, async::no_deadline);
  EXPECT_TRUE(written);
  auto more = co_await stream->fill(async::no_deadline);
  EXPECT_FALSE(more);
}

Task<std::string> ask(ScriptedDialer& dialer, SocketAddress to, Time deadline) {
  auto stream = co_await dialer.dial(to, deadline);
  if (!stream) co_return std::string(io::name(stream.error()));
  auto greeting = co_await (*stream)->fill(deadline);
  if (!greeting) co_return std::string(io::name(greeting.error()));
  co_return std::string((*stream)->input());
}

TEST(ScriptedDialer, GivesEachAddressItsOwnServer) {
  ManualLoop loop;
  ScriptedDialer dialer(loop.scheduler());
  dialer.serve(address(1), [](auto stream) { return greet(std::move(stream), "one"); });
  dialer.serve_all([](auto stream) { return greet(std::move(stream), "other"); });
  EXPECT_EQ(loop.run_until_done(ask(dialer, address(1), loop.now() + 1s)), "220 one\r\n");
  EXPECT_EQ(loop.run_until_done(ask(dialer, address(2), loop.now() + 1s)), "220 other\r\n");
  EXPECT_EQ(dialer.dialled(), (std::vector<SocketAddress>{address(1), address(2)}));
  loop.run();
  EXPECT_EQ(dialer.scripts_running(), 0u);  // their clients are gone
}

TEST(ScriptedDialer, FailsAsToldAndRefusesOtherwise) {
  ManualLoop loop;
  ScriptedDialer dialer(loop.scheduler());
  dialer.fail(address(1), Error::unreachable);
  dialer.fail(address(2), Error::timed_out);
  EXPECT_EQ(loop.run_until_done(ask(dialer, address(1), loop.now() + 1s)), io::name(Error::unreachable));
  Time start = loop.now();
  EXPECT_EQ(loop.run_until_done(ask(dialer, address(2), loop.now() + 30s)), io::name(Error::timed_out));
  EXPECT_GE(loop.now() - start, 30s);
  EXPECT_EQ(loop.run_until_done(ask(dialer, address(3), loop.now() + 1s)), io::name(Error::refused));
}

TEST(ScriptedDialer, TakesItsTime) {
  ManualLoop loop;
  ScriptedDialer dialer(loop.scheduler());
  std::unique_ptr<MemoryStream> server;
  dialer.accept_all([&server](auto end) { server = std::move(end); });
  dialer.set_latency(100ms);
  Time start = loop.now();
  EXPECT_TRUE(loop.run_until_done(dialer.dial(address(1), loop.now() + 1s)));
  EXPECT_GE(loop.now() - start, 100ms);
  EXPECT_TRUE(server);
  EXPECT_EQ(loop.run_until_done(dialer.dial(address(1), loop.now() + 50ms)).error(), Error::timed_out);
}

}  // namespace
}  // namespace sallyport::support
