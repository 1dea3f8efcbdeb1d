#include "gateway/uv/listener.h"

#include <netinet/tcp.h>
#include <sys/resource.h>

#include <ctime>
#include <stdexcept>

#include "gateway/uv/socket_table.h"
#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

class ListenerTest : public OnLoopback {
 protected:
  void run_to_its_end(Task<void> task) {
    async::Nursery nursery(loop.scheduler());
    nursery.spawn(std::move(task));
    run(all_of(nursery));
  }
  static Task<void> keep(Task<Result<std::unique_ptr<io::Stream>, Error>> task,
                         std::optional<Result<std::unique_ptr<io::Stream>, Error>>& outcome) {
    outcome.emplace(co_await std::move(task));
  }
  static Task<bool> all_of(async::Nursery& nursery) {
    co_await nursery.join();
    co_return true;
  }
};

// Lowers the limit of descriptors while it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t most) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = most;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

Duration cpu_time() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

TEST_F(ListenerTest, TellsBothAddresses) {
  PlainSocket plain = PlainSocket::connect(server.address());
  auto accepted = run(server.next());
  EXPECT_EQ(accepted.peer.ip, loopback().ip);
  EXPECT_NE(accepted.peer.port, 0);
  EXPECT_EQ(accepted.local, server.address());
}

TEST_F(ListenerTest, TellsTheAddressTheClientUsedAtTheAnyAddress) {
  Server everywhere(loop, bind_listener(SocketAddress{*IpAddress::parse("::"), 0}).value());
  std::uint16_t port = everywhere.address().port;
  PlainSocket plain = PlainSocket::connect(loopback(port));
  auto accepted = run(everywhere.next());
  EXPECT_EQ(accepted.local, loopback(port));
  EXPECT_TRUE(accepted.peer.ip.is_v4());
}

TEST_F(ListenerTest, AcceptsManyAtOnce) {
  std::vector<PlainSocket> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(PlainSocket::connect(server.address()));
  for (int i = 0; i < 200; ++i) run(server.next());
}

TEST_F(ListenerTest, ServesAUnixSocket) {
  char folder[] = "/tmp/sallyport-uv-XXXXXX";
  std::string path = std::string(::mkdtemp(folder)) + "/socket";
  {
    Server control(loop, bind_unix_listener(path).value());
    Dialer dialer(loop);
    auto client = run(dialer.dial_unix(path, in(patience)));
    ASSERT_TRUE(client);
    auto accepted = run(control.next());
    EXPECT_TRUE(write(**client, "stats\n"));
    EXPECT_TRUE(fill(*accepted.stream));
    EXPECT_EQ(accepted.stream->input(), "stats\n");
    accepted.stream->close();
    EXPECT_EQ(fill(**client), Outcome(Error::closed));
    (*client)->abort();
  }
  Dialer dialer(loop);
  EXPECT_EQ(run(dialer.dial_unix(path, in(patience))).error(), Error::refused);
  ::rmdir(folder);
}

TEST_F(ListenerTest, StopsAccepting) {
  server.listener().stop();
  server.listener().stop();
  Dialer dialer(loop);
  EXPECT_EQ(run(dialer.dial(server.address(), in(patience))).error(), Error::refused);
}

TEST_F(ListenerTest, MayBeStoppedFromItsOwnCallback) {
  int accepted = 0;
  std::optional<Listener> listener;
  listener.emplace(loop, bind_listener(loopback()).value(), [&](auto, SocketAddress, SocketAddress) {
    ++accepted;
    listener.reset();
  });
  PlainSocket first = PlainSocket::connect(listener->address());
  PlainSocket second = PlainSocket::connect(listener->address());
  pass(20ms);
  EXPECT_EQ(accepted, 1);
}

TEST_F(ListenerTest, RetiringServesThoseWhoHadConnected) {
  std::vector<PlainSocket> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(PlainSocket::connect(server.address()));
  run_to_its_end(server.listener().retire({20ms, 20ms}));
  EXPECT_EQ(server.waiting(), 100u);
  EXPECT_EQ(run(Dialer(loop).dial(server.address(), in(patience))).error(), Error::refused);
}

TEST_F(ListenerTest, RetiringIgnoresNewcomersWhoAreRefusedLater) {
  std::optional<Result<std::unique_ptr<io::Stream>, Error>> outcome;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(server.listener().retire({200ms, 200ms}));
  Dialer dialer(loop);
  const Time begin = Loop::now();
  nursery.spawn(keep(dialer.dial(server.address(), in(patience)), outcome));
  run(all_of(nursery));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error(), Error::refused);
  EXPECT_EQ(server.waiting(), 0u);
  EXPECT_GT(Loop::now() - begin, 700ms) << "the first attempt was neither accepted nor refused, the client tried again";
}

// The kernel leaves a handshake open until the client's first octets come, where the socket asks for that: the longest
// way to the last packet that a test can have on one host.
TEST_F(ListenerTest, RetiringWaitsForHandshakesThatAreUnderWay) {
  BoundSocket socket = bind_listener(loopback()).value();
  const int seconds = 5;
  ASSERT_EQ(::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds), 0);
  Server slow(loop, std::move(socket));
  std::vector<PlainSocket> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(PlainSocket::connect(slow.address()));
  EXPECT_TRUE(may_have_handshakes(slow.address()));
  EXPECT_FALSE(may_have_handshakes(server.address()));
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(slow.listener().retire({20ms, patience}));
  pass(300ms);
  EXPECT_EQ(slow.waiting(), 0u);
  EXPECT_EQ(nursery.size(), 1u);
  for (const PlainSocket& client : clients) client.send("EHLO");
  run(all_of(nursery));
  EXPECT_EQ(slow.waiting(), 10u);
}

TEST_F(ListenerTest, RetiringWaitsForNobodyWithoutEnd) {
  BoundSocket socket = bind_listener(loopback()).value();
  const int seconds = 30;
  ASSERT_EQ(::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds), 0);
  Server slow(loop, std::move(socket));
  const PlainSocket client = PlainSocket::connect(slow.address());
  const Time begin = Loop::now();
  run_to_its_end(slow.listener().retire({20ms, 500ms}));
  EXPECT_GE(Loop::now() - begin, 500ms);
  EXPECT_EQ(run(Dialer(loop).dial(slow.address(), in(patience))).error(), Error::refused);
}

TEST_F(ListenerTest, RetiringEndsAtOnceWhereNobodyIsUnderWay) {
  const Time begin = Loop::now();
  run_to_its_end(server.listener().retire({20ms, 60s}));
  EXPECT_LT(Loop::now() - begin, 10s);
}

// Of several sockets at one address, as several workers have, one after the other is retired under connects.
TEST_F(ListenerTest, NobodyIsResetWhenOneOfSeveralIsRetired) {
  Server others(loop, bind_listener(server.address()).value());
  std::vector<PlainSocket> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(PlainSocket::connect(server.address()));
  run_to_its_end(server.listener().retire({20ms, 20ms}));
  for (int i = 0; i < 100; ++i) clients.push_back(PlainSocket::connect(server.address()));
  pass(20ms);
  EXPECT_GT(server.waiting(), 0u);
  EXPECT_EQ(server.waiting() + others.waiting(), 200u);
}

TEST_F(ListenerTest, MayBeStoppedWhileItRetires) {
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(server.listener().retire({20ms, 20ms}));
  server.listener().stop();
  run(all_of(nursery));
}

TEST_F(ListenerTest, AFailingCallbackCostsThatConnectionOnly) {
  int calls = 0;
  Listener listener(loop, bind_listener(loopback()).value(), [&calls](auto, SocketAddress, SocketAddress) {
    if (++calls == 1) throw std::bad_alloc();
  });
  PlainSocket first = PlainSocket::connect(listener.address());
  pass(20ms);
  EXPECT_EQ(first.receive(), "");
  PlainSocket second = PlainSocket::connect(listener.address());
  pass(20ms);
  EXPECT_EQ(calls, 2);
}

// Both shortages in one test, and in this order: UndefinedBehaviorSanitizer opens a pipe to judge an object of a class
// that it meets for the first time, and in the second shortage there is no descriptor left for it.
TEST_F(ListenerTest, ShortOfDescriptorsItWaitsWithoutSpinning) {
  auto first_of_all = connection();  // libuv takes a descriptor for itself with the first stream
  std::vector<PlainSocket> clients;
  {
    // A tenth is kept for what runs. Clients and server share this process, so the descriptors are used up first.
    FewDescriptors few(100);
    Server careful(loop);  // the limit counts when it starts
    for (int i = 0; i < 10; ++i) clients.push_back(PlainSocket::connect(careful.address()));
    std::vector<Descriptor> used;
    while (used.empty() || used.back().get() < 86) used.emplace_back(::dup(STDERR_FILENO));
    pass(50ms);
    EXPECT_EQ(careful.waiting(), 4u);  // 87, 88, 89, and the one that showed it: 90
    used.clear();
    pass(250ms);
    EXPECT_EQ(careful.waiting(), 10u);
  }
  clients.clear();
  for (int i = 0; i < 10; ++i) clients.push_back(PlainSocket::connect(server.address()));
  Descriptor lowest(::dup(STDERR_FILENO));
  {
    // None is left.
    FewDescriptors few(static_cast<rlim_t>(lowest.get()) + 5);
    Duration before = cpu_time();
    pass(250ms);
    EXPECT_LT(cpu_time() - before, 150ms);
    EXPECT_EQ(server.waiting(), 4u);
    // What runs goes on.
    clients[0].send("still there");
    auto first = run(server.next());
    EXPECT_TRUE(fill(*first.stream));
    EXPECT_EQ(first.stream->input(), "still there");
  }
  pass(250ms);
  EXPECT_EQ(server.waiting(), 9u);  // nobody was dropped
}

}  // namespace
}  // namespace sallyport::uv
