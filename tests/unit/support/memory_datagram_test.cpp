#include "tests/support/memory_datagram.h"

#include <gtest/gtest.h>

#include "tests/support/manual_loop.h"

namespace sallyport::support {
namespace {

using namespace std::chrono_literals;
using io::Error;

const SocketAddress server{IpAddress::v4({192, 0, 2, 53}), 53};

std::vector<MemoryPacket> answer_twice(SocketAddress, std::string_view packet) {
  return {{std::string(packet) + " late", 2s}, {std::string(packet) + " soon", 1s}};
}

TEST(MemoryNetwork, AnswersComeWhenTheyAreDue) {
  ManualLoop loop;
  MemoryNetwork network(loop.scheduler(), answer_twice);
  auto socket = network.open(server);
  ASSERT_TRUE(socket);
  EXPECT_TRUE(loop.run_until_done((*socket)->send("q", loop.now() + 1s)));
  EXPECT_EQ(loop.run_until_done((*socket)->receive(loop.now() + 500ms)).error(), Error::timed_out);
  EXPECT_EQ(*loop.run_until_done((*socket)->receive(loop.now() + 5s)), "q soon");
  EXPECT_EQ(*loop.run_until_done((*socket)->receive(loop.now() + 5s)), "q late");
  EXPECT_EQ(loop.run_until_done((*socket)->receive(loop.now() + 5s)).error(), Error::timed_out);
  ASSERT_EQ(network.sent().size(), 1u);
  EXPECT_EQ(network.sent()[0].to, server);
  EXPECT_EQ(network.sent()[0].packet, "q");
}

TEST(MemoryNetwork, CutsPacketsAtTheBound) {
  ManualLoop loop;
  MemoryNetwork network(loop.scheduler(), [](SocketAddress, std::string_view) {
    return std::vector<MemoryPacket>{{std::string(5000, 'x'), {}}};
  });
  auto socket = network.open(server);
  EXPECT_TRUE(loop.run_until_done((*socket)->send("q", loop.now() + 1s)));
  EXPECT_EQ(loop.run_until_done((*socket)->receive(loop.now() + 1s))->size(), 4096u);
}

TEST(MemoryNetwork, FailsAsTold) {
  ManualLoop loop;
  MemoryNetwork network(loop.scheduler());
  network.fail_open(Error::exhausted);
  EXPECT_EQ(network.open(server).error(), Error::exhausted);
  network.fail_open(std::nullopt);
  auto socket = network.open(server);
  ASSERT_TRUE(socket);
  EXPECT_EQ(network.sockets_open(), 1u);
  network.fail_traffic(Error::refused);
  EXPECT_EQ(loop.run_until_done((*socket)->send("q", loop.now() + 1s)).error(), Error::refused);
  EXPECT_EQ(loop.run_until_done((*socket)->receive(loop.now() + 1s)).error(), Error::refused);
  socket->reset();
  EXPECT_EQ(network.sockets_open(), 0u);
  EXPECT_EQ(network.sockets_opened(), 1u);
}

}  // namespace
}  // namespace sallyport::support
