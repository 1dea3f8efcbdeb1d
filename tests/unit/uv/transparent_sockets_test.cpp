// Sockets from the helper process, as a loop gets them: here a thread plays the helper, with ordinary sockets, since
// nothing in it takes a right. The process itself is tested in networks of its own (integration/test_tproxy.py).
#include "gateway/uv/transparent_sockets.h"

#include <deque>
#include <set>
#include <tuple>

#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

class TransparentSocketsTest : public OnLoopback {
 protected:
  TransparentSocketsTest() { begin(); }
  // With a new helper.
  void begin() {
    losses = 0;
    sockets = make_sockets();
  }
  std::unique_ptr<TransparentSockets> make_sockets() {
    int pair[2];
    ensure(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, "no socket pair");
    helper.reset(pair[1]);
    return std::make_unique<TransparentSockets>(loop, Descriptor(pair[0]), [this] { ++losses; });
  }
  // The helper answers what has been wished for so far, with `error` or a socket.
  int answer(int error = 0) {
    int answered = 0;
    while (auto wish = receive_wish(helper.get())) {
      std::ignore = send_answer(helper.get(), make(*wish, error)).ok();
      ++answered;
    }
    return answered;
  }
  static Answer make(IpFamily family, int error) {
    Answer made{family, error, {}};
    if (error == 0)
      made.socket.reset(::socket(family == IpFamily::v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return made;
  }
  static int family_of(const Descriptor& socket) {
    int family = 0;
    socklen_t length = sizeof family;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &length);
    return family;
  }
  Task<void> ask(IpFamily family, Time deadline) {
    auto got = co_await sockets->take(family, deadline);
    got ? received.push_back(std::move(*got)) : failures.push_back(got.error());
  }

  Task<void> dial(Dialer& dialer, IpAddress from, std::unique_ptr<io::Stream>& out) {
    auto dialled = co_await dialer.dial_from(from, server.address(), in(patience));
    if (dialled) out = std::move(*dialled);
  }

  Descriptor helper;
  std::unique_ptr<TransparentSockets> sockets;
  std::deque<Descriptor> received;
  std::vector<Error> failures;
  int losses = 0;
};

// However many ask at once, each gets one of the family it asked for; and what is under way fits into the channel, so
// that neither end is ever in the way of the other.
TEST_F(TransparentSocketsTest, ManyAtOnceGetOneEach) {
  async::Nursery askers(loop.scheduler());
  constexpr int many = 100;
  for (int i = 0; i < many; ++i) askers.spawn(ask(i % 3 == 0 ? IpFamily::v6 : IpFamily::v4, in(patience)));
  int answered = 0;
  for (int round = 0; round < many && answered < many; ++round) {
    const int now = answer();
    EXPECT_LE(now, 8);
    answered += now;
    pass(1ms);
  }
  EXPECT_EQ(answered, many);
  std::set<int> distinct;
  int of_v6 = 0;
  for (const Descriptor& socket : received) {
    distinct.insert(socket.get());
    of_v6 += family_of(socket) == AF_INET6 ? 1 : 0;
  }
  EXPECT_EQ(distinct.size(), static_cast<std::size_t>(many));
  EXPECT_EQ(of_v6, 34);
  EXPECT_TRUE(failures.empty());
}

TEST_F(TransparentSocketsTest, OneThatComesTooLateIsForTheNext) {
  EXPECT_EQ(run(sockets->take(IpFamily::v4, in(10ms))).error(), Error::no_helper);
  EXPECT_EQ(answer(), 1);
  pass(1ms);
  EXPECT_TRUE(run(sockets->take(IpFamily::v4, in(patience))));
  EXPECT_EQ(answer(), 0);
}

TEST_F(TransparentSocketsTest, AWaitMayBeGivenUp) {
  {
    async::Nursery askers(loop.scheduler());
    for (int i = 0; i < 20; ++i) askers.spawn(ask(IpFamily::v4, in(patience)));
  }
  EXPECT_EQ(answer(), 8);
  pass(1ms);
  EXPECT_EQ(answer(), 0);
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(run(sockets->take(IpFamily::v4, in(patience))));
}

TEST_F(TransparentSocketsTest, ItsEndIsToldOnceAndEndsAllWaits) {
  async::Nursery askers(loop.scheduler());
  for (int i = 0; i < 20; ++i) askers.spawn(ask(IpFamily::v4, in(patience)));
  helper.reset();
  pass(1ms);
  EXPECT_EQ(failures, std::vector<Error>(20, Error::no_helper));
  EXPECT_EQ(run(sockets->take(IpFamily::v6, in(patience))).error(), Error::no_helper);
  EXPECT_EQ(losses, 1);
}

TEST_F(TransparentSocketsTest, WhatCannotBeMadeIsAnError) {
  for (const auto& [number, error] : {std::pair(EMFILE, Error::exhausted), std::pair(EPERM, Error::no_helper),
                                      std::pair(EAFNOSUPPORT, Error::unreachable)}) {
    async::Nursery askers(loop.scheduler());
    askers.spawn(ask(IpFamily::v4, in(patience)));
    answer(number);
    pass(1ms);
    EXPECT_EQ(failures, std::vector<Error>{error});
    failures.clear();
  }
  EXPECT_EQ(losses, 0);
}

// It speaks the one message, or it is none.
TEST_F(TransparentSocketsTest, WhatIsNoAnswerIsItsEnd) {
  for (const std::string& octets : {std::string("\x04"), std::string("\x05\x00", 2), std::string("\x04\x00\x00", 3)}) {
    begin();
    ASSERT_EQ(::send(helper.get(), octets.data(), octets.size(), 0), static_cast<ssize_t>(octets.size()));
    pass(1ms);
    EXPECT_EQ(losses, 1);
  }
  // Nor is one that nobody asked for.
  begin();
  ASSERT_TRUE(send_answer(helper.get(), make(IpFamily::v4, 0)).ok());
  pass(1ms);
  EXPECT_EQ(losses, 1);
}

TEST_F(TransparentSocketsTest, AWishIsOneOctet) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  const Descriptor ours(pair[0]);
  const Descriptor its(pair[1]);
  EXPECT_EQ(receive_wish(its.get()).error(), Trouble::none_yet);
  ASSERT_TRUE(send_wish(ours.get(), IpFamily::v6));
  EXPECT_EQ(receive_wish(its.get()).value(), IpFamily::v6);
  for (const std::string& octets : {std::string("\x00", 1), std::string("\x05"), std::string("\x04\x04")}) {
    ASSERT_EQ(::send(ours.get(), octets.data(), octets.size(), 0), static_cast<ssize_t>(octets.size()));
    EXPECT_EQ(receive_wish(its.get()).error(), Trouble::over);
  }
}

// An address of this host may be bound without any right; the answers come in while the dialer waits.
TEST_F(TransparentSocketsTest, TheDialerConnectsFromTheAddress) {
  Dialer dialer(loop, make_sockets());
  std::unique_ptr<io::Stream> stream;
  async::Nursery dialling(loop.scheduler());
  dialling.spawn(dial(dialer, IpAddress::v4({127, 0, 0, 9}), stream));
  EXPECT_EQ(answer(), 1);
  pass(10ms);
  ASSERT_TRUE(stream);
  auto accepted = run(server.next());
  EXPECT_EQ(accepted.peer.ip.to_string(), "127.0.0.9");
  EXPECT_TRUE(write(*stream, "hello"));
  EXPECT_TRUE(fill(*accepted.stream));
  EXPECT_EQ(accepted.stream->input(), "hello");
}

TEST_F(TransparentSocketsTest, ADialerWithoutThemHasNone) {
  Dialer dialer(loop);
  const auto dialled = run(dialer.dial_from(IpAddress::v4({127, 0, 0, 9}), server.address(), in(patience)));
  EXPECT_EQ(dialled.error(), Error::no_helper);
}

}  // namespace
}  // namespace sallyport::uv
