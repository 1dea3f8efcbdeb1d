#include "gateway/uv/datagram.h"

#include <set>

#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

class DatagramTest : public OnLoopback {
 protected:
  // A plain socket that plays the server.
  Descriptor bound_server(SocketAddress& address) {
    Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage raw{};
    socklen_t length = loopback().to_sockaddr(raw);
    ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&raw), length);
    length = sizeof raw;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&raw), &length);
    address = *SocketAddress::from(reinterpret_cast<const sockaddr&>(raw));
    return socket;
  }
  // Receives one packet and remembers who sent it.
  std::string take(const Descriptor& socket) {
    std::string packet(8192, '\0');
    from_length = sizeof from;
    ssize_t count =
        ::recvfrom(socket.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from), &from_length);
    packet.resize(static_cast<std::size_t>(count));
    return packet;
  }
  void answer(const Descriptor& socket, std::string_view packet) {
    ::sendto(socket.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&from), from_length);
  }
  std::uint16_t sender_port() { return SocketAddress::from(reinterpret_cast<const sockaddr&>(from))->port; }

  sockaddr_storage from{};
  socklen_t from_length = 0;
  DatagramDialer dialer{loop};
};

TEST_F(DatagramTest, AsksAndIsAnswered) {
  SocketAddress address;
  Descriptor resolver = bound_server(address);
  auto socket = dialer.open(address);
  ASSERT_TRUE(socket);
  EXPECT_TRUE(run((*socket)->send("question", in(patience))));
  EXPECT_EQ(take(resolver), "question");
  answer(resolver, "one");
  answer(resolver, "");
  answer(resolver, std::string(5000, 'x'));
  EXPECT_EQ(*run((*socket)->receive(in(patience))), "one");
  EXPECT_EQ(*run((*socket)->receive(in(patience))), "");
  EXPECT_EQ(run((*socket)->receive(in(patience)))->size(), 4096u);
  EXPECT_EQ(run((*socket)->receive(in(20ms))).error(), Error::timed_out);
}

TEST_F(DatagramTest, HearsNobodyElse) {
  SocketAddress address, elsewhere;
  Descriptor resolver = bound_server(address);
  Descriptor stranger = bound_server(elsewhere);
  auto socket = dialer.open(address);
  ASSERT_TRUE(socket);
  EXPECT_TRUE(run((*socket)->send("question", in(patience))));
  take(resolver);
  answer(stranger, "forged");
  EXPECT_EQ(run((*socket)->receive(in(20ms))).error(), Error::timed_out);
}

TEST_F(DatagramTest, UsesManyPorts) {
  SocketAddress address;
  Descriptor resolver = bound_server(address);
  std::set<std::uint16_t> ports;
  bool is_below_the_kernels_range = false;
  for (int i = 0; i < 64; ++i) {
    auto socket = dialer.open(address);
    ASSERT_TRUE(socket);
    EXPECT_TRUE(run((*socket)->send("q", in(patience))));
    take(resolver);
    EXPECT_GE(sender_port(), 1024);
    is_below_the_kernels_range |= sender_port() < 32768;
    ports.insert(sender_port());
  }
  EXPECT_GT(ports.size(), 56u);
  EXPECT_TRUE(is_below_the_kernels_range);
}

TEST_F(DatagramTest, IsToldThatNobodyListensThere) {
  SocketAddress address;
  // The port stays taken, or another program might get it meanwhile; a socket that is connected to somebody else hears
  // nothing of us, and the kernel says so.
  Descriptor reserved = bound_server(address);
  sockaddr_storage elsewhere{};
  socklen_t length = SocketAddress{address.ip, 9}.to_sockaddr(elsewhere);
  ASSERT_EQ(::connect(reserved.get(), reinterpret_cast<const sockaddr*>(&elsewhere), length), 0);
  auto socket = dialer.open(address);
  ASSERT_TRUE(socket);
  EXPECT_TRUE(run((*socket)->send("q", in(patience))));
  EXPECT_EQ(run((*socket)->receive(in(patience))).error(), Error::refused);
  // And works on: the server may come back.
  EXPECT_TRUE(run((*socket)->send("q", in(patience))));
  EXPECT_EQ(run((*socket)->receive(in(patience))).error(), Error::refused);
}

TEST_F(DatagramTest, AFloodNobodyWaitsForIsBounded) {
  SocketAddress address;
  Descriptor resolver = bound_server(address);
  auto socket = dialer.open(address);
  ASSERT_TRUE(socket);
  EXPECT_TRUE(run((*socket)->send("q", in(patience))));
  take(resolver);
  for (int i = 0; i < 100; ++i) answer(resolver, std::to_string(i));
  pass(50ms);
  int received = 0;
  while (run((*socket)->receive(in(10ms)))) ++received;
  EXPECT_EQ(received, 32);
}

TEST_F(DatagramTest, OpensToIpv6) {
  auto socket = dialer.open(SocketAddress{*IpAddress::parse("::1"), 53});
  if (!socket) GTEST_SKIP() << "a host without IPv6";
  EXPECT_EQ(run((*socket)->receive(in(1ms))).error(), Error::timed_out);
}

}  // namespace
}  // namespace sallyport::uv
