#include "gateway/uv/dialer.h"

#include <uv.h>

#include "gateway/io/shortage.h"
#include "gateway/uv/errors.h"
#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

using DialerTest = OnLoopback;

TEST_F(DialerTest, Connects) {
  Dialer dialer(loop);
  auto client = run(dialer.dial(server.address(), in(patience)));
  ASSERT_TRUE(client);
  auto accepted = run(server.next());
  EXPECT_TRUE(write(**client, "hello"));
  EXPECT_TRUE(fill(*accepted.stream));
  EXPECT_EQ(accepted.stream->input(), "hello");
  EXPECT_TRUE((*client)->is_open());
}

TEST_F(DialerTest, ConnectsToIpv6) {
  auto bound = bind_listener(SocketAddress{*IpAddress::parse("::1"), 0});
  if (!bound) GTEST_SKIP() << "a host without IPv6";
  Server v6(loop, std::move(*bound));
  Dialer dialer(loop);
  EXPECT_TRUE(run(dialer.dial(v6.address(), in(patience))));
  auto accepted = run(v6.next());
  EXPECT_EQ(accepted.peer.ip, *IpAddress::parse("::1"));
}

TEST_F(DialerTest, IsRefused) {
  SocketAddress nobody = bind_listener(loopback())->address();
  Dialer dialer(loop);
  EXPECT_EQ(run(dialer.dial(nobody, in(patience))).error(), Error::refused);
  EXPECT_EQ(run(dialer.dial_unix("/nowhere/at/all", in(patience))).error(), Error::refused);
}

TEST_F(DialerTest, WhatIsShortIsNoted) {
  using io::Shortage;
  for (const auto& [code, what] :
       {std::pair(UV_EMFILE, Shortage::open_files), std::pair(UV_ENFILE, Shortage::open_files),
        std::pair(UV_ENOMEM, Shortage::memory), std::pair(UV_ENOBUFS, Shortage::memory),
        std::pair(UV_EADDRNOTAVAIL, Shortage::ports), std::pair(UV_EPERM, Shortage::packet_filter)}) {
    EXPECT_EQ(error_of(code), Error::exhausted);
    EXPECT_EQ(error_of(UV_ECONNREFUSED), Error::refused);
    EXPECT_EQ(io::take_shortage(), what);
    EXPECT_EQ(io::take_shortage(), Shortage::unknown);
  }
}

TEST_F(DialerTest, FindsNoWay) {
  Dialer dialer(loop);
  SocketAddress broadcast{IpAddress::v4({255, 255, 255, 255}), 25};
  EXPECT_EQ(run(dialer.dial(broadcast, in(patience))).error(), Error::unreachable);
}

// A socket whose backlog is full drops who comes next: to him the host is silent.
class FullListener {
 public:
  FullListener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage raw{};
    socklen_t length = loopback().to_sockaddr(raw);
    ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&raw), length);
    ::listen(socket_.get(), 0);
    length = sizeof raw;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&raw), &length);
    address = *SocketAddress::from(reinterpret_cast<const sockaddr&>(raw));
    length = address.to_sockaddr(raw);
    for (int i = 0; i < 4; ++i) {
      waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      std::ignore = ::connect(waiting_.back().get(), reinterpret_cast<const sockaddr*>(&raw), length);
    }
  }
  SocketAddress address;

 private:
  Descriptor socket_;
  std::vector<Descriptor> waiting_;
};

TEST_F(DialerTest, WaitsForASilentHostUntilItsDeadline) {
  FullListener silent;
  Dialer dialer(loop);
  Time start = Loop::now();
  EXPECT_EQ(run(dialer.dial(silent.address, in(50ms))).error(), Error::timed_out);
  EXPECT_GE(Loop::now() - start, 50ms);
}

Task<void> dial_and_drop(Dialer& dialer, SocketAddress to, Time deadline) {
  auto stream = co_await dialer.dial(to, deadline);
  EXPECT_FALSE(stream);
}

TEST_F(DialerTest, MayBeGivenUp) {
  FullListener silent;
  Dialer dialer(loop);
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(dial_and_drop(dialer, silent.address, in(patience)));
  pass(5ms);
  nursery.cancel();
  pass(5ms);
}

}  // namespace
}  // namespace sallyport::uv
