// What arrived in time counts, though the loop looks at it only when the deadline is over: the whole process may have
// stood still meanwhile. Here the thread sleeps, which is the same for the loop.
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

#include "gateway/uv/datagram.h"
#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

constexpr Duration short_while = 300ms;

// The loop is late by less than what counts as a standstill, and by more.
class Standstill : public OnLoopback, public ::testing::WithParamInterface<int> {
 protected:
  void stand_still(std::chrono::milliseconds time = std::chrono::milliseconds(GetParam())) {
    pass(1ms);  // the loop knows what it waits for
    std::this_thread::sleep_for(time);
  }
};
INSTANTIATE_TEST_SUITE_P(Lengths, Standstill, ::testing::Values(350, 900));

Task<void> wait_and_note(async::Signal& signal, Time deadline, int& timed_out) {
  if (co_await signal.wait(deadline) == async::Woken::timed_out) ++timed_out;
}

TEST_P(Standstill, WhatHasArrivedCountsAndWhatHasNotIsLate) {
  std::vector<std::pair<std::unique_ptr<io::Stream>, PlainSocket>> connections;
  for (int i = 0; i < 5; ++i) connections.push_back(connection());
  std::vector<std::optional<Outcome>> outcomes(connections.size());
  int timed_out = 0;
  async::Signal never(loop.scheduler());
  async::Nursery nursery(loop.scheduler());
  const Time deadline = in(short_while);
  nursery.spawn(wait_and_note(never, deadline, timed_out));
  for (std::size_t i = 0; i < connections.size(); ++i)
    nursery.spawn(keep_outcome(connections[i].first->fill(deadline), outcomes[i]));
  for (std::size_t i = 1; i < connections.size(); ++i) connections[i].second.send("in time");
  stand_still();
  pass(short_while);
  EXPECT_EQ(outcomes[0], Outcome(Error::timed_out));
  for (std::size_t i = 1; i < outcomes.size(); ++i) EXPECT_EQ(outcomes[i], Outcome(Done{}));
  EXPECT_EQ(timed_out, 1);
}

// Connects, and reads line by line until the end; each is an event of its own, and all have one deadline.
Task<Result<int, Error>> read_lines(Loop& loop, SocketAddress to, Time deadline) {
  Dialer dialer(loop);
  auto stream = co_await dialer.dial(to, deadline);
  if (!stream) co_return stream.error();
  int lines = 0;
  while (true) {
    while (!(*stream)->input().empty()) {
      lines += (*stream)->input().front() == '\n' ? 1 : 0;
      (*stream)->consume(1);
    }
    auto more = co_await (*stream)->fill(deadline);
    if (!more && more.error() == Error::closed) co_return lines;
    if (!more) co_return more.error();
  }
}

Task<void> keep_lines(Task<Result<int, Error>> task, std::optional<Result<int, Error>>& lines) {
  lines = co_await std::move(task);
}

// A listening socket of the plain kind: the test accepts and answers while the loop stands still.
class PlainListener {
 public:
  PlainListener() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage place{};
    socklen_t length = loopback().to_sockaddr(place);
    auto* plain = reinterpret_cast<sockaddr*>(&place);
    ensure(::bind(descriptor_.get(), plain, length) == 0, "PlainListener: no address");
    ensure(::listen(descriptor_.get(), 8) == 0, "PlainListener: cannot listen");
    length = sizeof place;
    ::getsockname(descriptor_.get(), plain, &length);
    address_ = *SocketAddress::from(*plain);
  }
  SocketAddress address() const { return address_; }
  PlainSocket accept() const { return PlainSocket(Descriptor(::accept(descriptor_.get(), nullptr, nullptr))); }

 private:
  Descriptor descriptor_;
  SocketAddress address_;
};

TEST_P(Standstill, AChainOfEventsThatAllCameInTimeCountsToItsEnd) {
  PlainListener listener;
  std::optional<Result<int, Error>> lines;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(keep_lines(read_lines(loop, listener.address(), in(short_while)), lines));
  {
    PlainSocket peer = listener.accept();
    for (int i = 0; i < 3; ++i) peer.send("220 \n");
  }
  stand_still();
  pass(short_while);
  ASSERT_TRUE(lines.has_value());
  ASSERT_TRUE(lines->ok());
  EXPECT_EQ(lines->value(), 3);
}

Task<void> receive_all(io::Datagram& socket, Time deadline, std::vector<std::string>& received) {
  while (true) {
    auto packet = co_await socket.receive(deadline);
    received.push_back(packet ? *packet : std::string(io::name(packet.error())));
    if (!packet) co_return;
  }
}

TEST_P(Standstill, AllPacketsThatCameInTimeCount) {
  Descriptor peer(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage place{};
  socklen_t length = loopback().to_sockaddr(place);
  auto* plain = reinterpret_cast<sockaddr*>(&place);
  ASSERT_EQ(::bind(peer.get(), plain, length), 0);
  length = sizeof place;
  ::getsockname(peer.get(), plain, &length);
  DatagramDialer dialer(loop);
  auto socket = dialer.open(*SocketAddress::from(*plain));
  ASSERT_TRUE(socket.ok());
  const Time deadline = in(short_while);
  ASSERT_TRUE(run((*socket)->send("question", deadline)).ok());
  std::array<char, 64> question{};
  sockaddr_storage asker{};
  length = sizeof asker;
  ASSERT_EQ(::recvfrom(peer.get(), question.data(), question.size(), 0, reinterpret_cast<sockaddr*>(&asker), &length),
            8);

  std::vector<std::string> received;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(receive_all(**socket, deadline, received));
  for (const char* packet : {"one", "two", "three"})
    ::sendto(peer.get(), packet, std::strlen(packet), 0, reinterpret_cast<sockaddr*>(&asker), length);
  stand_still();
  pass(short_while);
  EXPECT_EQ(received, (std::vector<std::string>{"one", "two", "three", std::string(io::name(Error::timed_out))}));
}

// Another thread stood still, too, and hands on what it got in time a little later.
TEST_F(OnLoopback, WhatPassesThroughAnotherThreadAfterALongStandstillCounts) {
  async::Signal news(loop.scheduler());
  int timed_out = 0;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(wait_and_note(news, in(short_while), timed_out));
  pass(1ms);
  std::this_thread::sleep_for(short_while + Loop::standstill + 100ms);
  std::thread other([&] {
    std::this_thread::sleep_for(50ms);
    loop.post([&news] { news.notify(); });
  });
  pass(short_while);
  other.join();
  EXPECT_EQ(timed_out, 0);
  EXPECT_EQ(nursery.size(), 0u);
  EXPECT_GT(loop.scheduler().standstills(), 0u);
}

Task<void> note_whether_over(async::Signal& news, const async::Scheduler& scheduler, Time deadline, bool& is_over) {
  co_await news.wait();
  is_over = scheduler.is_over(deadline);
}

// What is begun because of an event of that time has not run out of time before it begins.
TEST_F(OnLoopback, ADeadlineIsNotOverForTheFirstEventsAfterALongStandstill) {
  async::Signal news(loop.scheduler()), never(loop.scheduler());
  int timed_out = 0;
  bool is_over = true;
  async::Nursery nursery(loop.scheduler());
  const Time deadline = in(short_while);
  nursery.spawn(wait_and_note(never, deadline, timed_out));
  nursery.spawn(note_whether_over(news, loop.scheduler(), deadline, is_over));
  pass(1ms);
  loop.post([&] {
    std::this_thread::sleep_for(short_while + Loop::standstill + 100ms);
    loop.post([&news] { news.notify(); });
  });
  pass(1ms);
  EXPECT_FALSE(is_over);
  EXPECT_EQ(timed_out, 1);
}

// There is always an event: a function that posts itself.
struct Busy {
  Loop& loop;
  bool goes_on = true;
  void post() {
    loop.post([this] {
      if (goes_on) post();
    });
  }
};

TEST_F(OnLoopback, DeadlinesHoldWhileTheLoopIsBusy) {
  Busy busy{loop};
  busy.post();
  std::vector<std::unique_ptr<async::Signal>> never;
  std::vector<int> timed_out(20, 0);
  async::Nursery nursery(loop.scheduler());
  for (std::size_t i = 0; i < timed_out.size(); ++i) {
    never.push_back(std::make_unique<async::Signal>(loop.scheduler()));
    nursery.spawn(wait_and_note(*never.back(), in(Duration(5ms) * static_cast<int>(i)), timed_out[i]));
  }
  const Time began = Loop::now();
  pass(200ms);
  EXPECT_LT(Loop::now() - began, 5s);
  for (int count : timed_out) EXPECT_EQ(count, 1);
  busy.goes_on = false;
}

Task<void> read_as_fast_as_it_comes(io::Stream& stream, async::Scheduler& scheduler, std::size_t octets, Time deadline,
                                    std::vector<std::size_t>& by_turn) {
  std::size_t read = 0;
  std::uint64_t turn = scheduler.turn();
  by_turn.push_back(0);
  while (read < octets) {
    if (turn != scheduler.turn()) {
      turn = scheduler.turn();
      by_turn.push_back(0);
    }
    by_turn.back() += stream.input().size();
    read += stream.input().size();
    stream.consume(stream.input().size());
    if (read < octets && !co_await stream.fill(deadline)) co_return;
  }
}

TEST_F(OnLoopback, AStreamReadsNoMoreThanItsShareInATurnHoweverFastItComes) {
  constexpr std::size_t octets = std::size_t{24} << 20;
  auto [stream, plain] = connection();
  std::thread sender([&plain = plain] {
    const std::string piece(std::size_t{1} << 20, 'x');
    for (int i = 0; i < 24; ++i) plain.send(piece);
  });
  std::this_thread::sleep_for(100ms);  // several MiB lie in the socket by now
  std::vector<std::size_t> by_turn;
  run(read_as_fast_as_it_comes(*stream, loop.scheduler(), octets, in(patience), by_turn));
  sender.join();
  std::size_t read = 0;
  for (std::size_t in_turn : by_turn) {
    read += in_turn;
    EXPECT_LE(in_turn, async::Scheduler::octets_per_turn);
  }
  EXPECT_EQ(read, octets);
}

}  // namespace
}  // namespace sallyport::uv
