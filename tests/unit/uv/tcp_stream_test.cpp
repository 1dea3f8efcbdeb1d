#include "gateway/uv/tcp_stream.h"

#include <netinet/tcp.h>

#include <thread>

#include "gateway/uv/stream_handle.h"
#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

using TcpStreamTest = OnLoopback;

std::string pattern(std::size_t octets) {
  std::string text(octets, '\0');
  for (std::size_t i = 0; i < octets; ++i) text[i] = static_cast<char>((i * 31 + i / 251) & 0xff);
  return text;
}

TEST_F(TcpStreamTest, CarriesOctetsBothWays) {
  auto [stream, plain] = connection();
  plain.send("EHLO a\r\n");
  EXPECT_TRUE(fill(*stream));
  EXPECT_EQ(stream->input(), "EHLO a\r\n");
  stream->consume(5);
  EXPECT_EQ(stream->input(), "a\r\n");
  EXPECT_TRUE(write(*stream, "250 b\r\n"));
  EXPECT_EQ(plain.receive(), "250 b\r\n");
  std::vector<std::string_view> parts{"250-", "", "c\r\n", "250 HELP\r\n"};
  EXPECT_TRUE(run(stream->write_parts(parts, in(1s))));
  EXPECT_EQ(plain.receive(), "250-c\r\n250 HELP\r\n");
  EXPECT_TRUE(run(stream->write_parts({}, in(1s))));
  EXPECT_TRUE(stream->is_open());
}

// U3: octets that the peer has not got are undelivered; once it has read them and answers, none are.
TEST_F(TcpStreamTest, KnowsWhetherThePeerHasGotAll) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int little = 1;  // the kernel makes the least of it that there is
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
  sockaddr_storage address{};
  socklen_t length = server.address().to_sockaddr(address);
  ASSERT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  PlainSocket plain(std::move(socket));
  auto stream = run(server.next()).stream;
  EXPECT_FALSE(stream->has_undelivered());
  const std::string content = pattern(12 * 1024);
  EXPECT_TRUE(write(*stream, content)) << "the kernel takes it";
  plain.send("250 made up\r\n");
  EXPECT_TRUE(fill(*stream));
  EXPECT_TRUE(stream->has_undelivered());

  for (int round = 0; round < 200; ++round) {
    std::size_t read = 0;
    while (read < content.size()) read += plain.receive(content.size() - read).size();
    plain.send("250 stored\r\n");
    EXPECT_TRUE(fill(*stream));
    EXPECT_FALSE(stream->has_undelivered()) << round;
    stream->consume(stream->input().size());
    EXPECT_TRUE(write(*stream, content));
  }
}

TEST_F(TcpStreamTest, KnowsWhatAnotherProcessHasReadOfAUnixSocket) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  PlainSocket plain{Descriptor(ends[1])};
  auto adopted = TcpStream::adopt_unix(loop, Descriptor(ends[0]));
  ASSERT_TRUE(adopted);
  TcpStream& stream = **adopted;
  const std::string content = pattern(5000);
  EXPECT_TRUE(write(stream, content));
  plain.receive(4999);
  plain.send("250 made up\r\n");
  EXPECT_TRUE(fill(stream));
  EXPECT_TRUE(stream.has_undelivered());
  plain.receive(1);
  EXPECT_FALSE(stream.has_undelivered());
}

// U13: an end that lies behind input which nobody reads, because a mail before it is being delivered.
TEST_F(TcpStreamTest, KnowsOfAnEndBehindUnreadInput) {
  for (const bool is_reset : {false, true}) {
    SCOPED_TRACE(is_reset);
    auto [stream, plain] = connection();
    plain.send(pattern(100 * 1024));
    EXPECT_TRUE(fill(*stream));
    EXPECT_FALSE(stream->peer_has_ended());
    is_reset ? plain.reset() : plain.end();
    EXPECT_TRUE(stream->is_open()) << "nobody has read that far";
    EXPECT_TRUE(stream->peer_has_ended());
  }
}

// The same where nothing is unread. Who asks learns of a reset before the loop does, and the stream remembers it: the
// kernel tells it once.
TEST_F(TcpStreamTest, KnowsOfAnEndBeforeTheLoopDoes) {
  for (const bool is_reset : {false, true}) {
    SCOPED_TRACE(is_reset);
    auto [stream, plain] = connection();
    EXPECT_FALSE(stream->peer_has_ended());
    is_reset ? plain.reset() : plain.end();
    EXPECT_TRUE(stream->peer_has_ended());
    EXPECT_TRUE(stream->peer_has_ended()) << "asked again";
    EXPECT_EQ(stream->is_broken(), is_reset);
    pass(20ms);
    EXPECT_FALSE(stream->is_open()) << "the loop has read the end";
    EXPECT_EQ(stream->is_broken(), is_reset);
    EXPECT_TRUE(stream->peer_has_ended());
  }
}

TEST_F(TcpStreamTest, FillWaitsForMoreThanWasLookedAt) {
  auto [stream, plain] = connection();
  plain.send("one");
  EXPECT_TRUE(fill(*stream));
  EXPECT_EQ(stream->input(), "one");
  EXPECT_EQ(fill(*stream, 20ms), Outcome(Error::timed_out));
  EXPECT_EQ(stream->input(), "one");
  plain.send("two");
  pass(20ms);  // it arrives though nobody waits for it
  EXPECT_TRUE(fill(*stream));
  EXPECT_EQ(stream->input(), "onetwo");
}

TEST_F(TcpStreamTest, WhatIsLookedAtStaysWhereItIsWhileMoreArrives) {
  auto [stream, plain] = connection();
  plain.send("abc");
  EXPECT_TRUE(fill(*stream));
  stream->consume(1);
  std::string_view before = stream->input();
  plain.send("def");
  pass(20ms);
  EXPECT_EQ(before, "bc");
  EXPECT_EQ(stream->input(), "bcdef");
  EXPECT_EQ(stream->input().data(), before.data());
}

TEST_F(TcpStreamTest, OctetByOctetIsTheSame) {
  auto [stream, plain] = connection();
  for (char c : std::string("MAIL FROM:<>\r\n")) {
    plain.send(std::string(1, c));
    EXPECT_TRUE(fill(*stream));
    EXPECT_EQ(stream->input().back(), c);
  }
  EXPECT_EQ(stream->input(), "MAIL FROM:<>\r\n");
}

TEST_F(TcpStreamTest, HoldsTheWriterBackWhileNobodyConsumes) {
  auto [stream, plain] = connection();
  std::string much = pattern(4 * 1024 * 1024);
  std::thread sender([&plain_socket = plain, &much] { plain_socket.send(much); });
  EXPECT_TRUE(fill(*stream));
  pass(50ms);
  EXPECT_GE(stream->input().size(), io::block_octets);
  EXPECT_LE(stream->input().size(), bulk_block_octets);
  EXPECT_THROW(std::ignore = fill(*stream), BrokenInvariant);
  EXPECT_EQ(run(read_octets(*stream, much.size(), in(patience))), much);
  sender.join();
}

TEST_F(TcpStreamTest, ALineReaderGetsRoomWithoutConsumingAll) {
  auto [stream, plain] = connection();
  std::string much = pattern(300 * 1024);
  std::thread sender([&plain_socket = plain, &much] { plain_socket.send(much); });
  std::string got;
  while (got.size() < much.size()) {
    // All but the last octets, as a reader of lines leaves half of one.
    std::string_view input = stream->input();
    bool is_last = got.size() + input.size() == much.size();
    std::size_t taken = is_last ? input.size() : input.size() - std::min<std::size_t>(input.size(), 700);
    got += input.substr(0, taken);
    stream->consume(taken);
    if (is_last) break;
    ASSERT_TRUE(fill(*stream));
  }
  sender.join();
  EXPECT_EQ(got, much);
}

TEST_F(TcpStreamTest, SendsMuchMoreThanTheSocketTakesAtOnce) {
  auto [stream, plain] = connection();
  std::string much = pattern(8 * 1024 * 1024);
  std::string got;
  std::thread receiver([&plain_socket = plain, &got, &much] {
    while (got.size() < much.size()) {
      std::string more = plain_socket.receive();
      if (more.empty()) return;
      got += more;
    }
  });
  std::string_view all = much;
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < all.size(); at += 10007) parts.push_back(all.substr(at, 10007));
  EXPECT_TRUE(run(stream->write_parts(parts, in(patience))));
  receiver.join();
  EXPECT_TRUE(got == much);
}

TEST_F(TcpStreamTest, AWriteEndsAtItsDeadlineAndBreaksTheConnection) {
  auto [stream, plain] = connection();
  std::string much(16 * 1024 * 1024, 'x');
  EXPECT_EQ(write(*stream, much, 50ms), Outcome(Error::timed_out));
  EXPECT_FALSE(stream->is_open());
  EXPECT_EQ(write(*stream, "more"), Outcome(Error::closed));
  std::string got = "x";
  while (got.front() == 'x') got = plain.receive(1024 * 1024);
  EXPECT_EQ(got, "RESET");
}

TEST_F(TcpStreamTest, AWriteThatIsGivenUpBreaksTheConnection) {
  auto [stream, plain] = connection();
  std::string much(16 * 1024 * 1024, 'x');
  std::optional<Outcome> outcome;
  {
    async::Nursery nursery(loop.scheduler());
    nursery.spawn(keep_outcome(stream->write(much, in(patience)), outcome));
    pass(20ms);
  }
  much.assign(much.size(), 'y');
  EXPECT_FALSE(outcome);
  EXPECT_FALSE(stream->is_open());
  std::string got = "x";
  while (got.front() == 'x') got = plain.receive(1024 * 1024);
  EXPECT_EQ(got, "RESET");
}

TEST_F(TcpStreamTest, TwoWritersAreAMistake) {
  auto [stream, plain] = connection();
  std::string much(16 * 1024 * 1024, 'x');
  std::optional<Outcome> outcome;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(keep_outcome(stream->write(much, in(patience)), outcome));
  pass(10ms);
  EXPECT_THROW(std::ignore = write(*stream, "y"), BrokenInvariant);
}

TEST_F(TcpStreamTest, SendsWithoutDelay) {
  Dialer dialer(loop);
  auto dialled = run(dialer.dial(server.address(), in(patience)));
  ASSERT_TRUE(dialled);
  auto accepted = run(server.next());
  int found = 0;
  for (int descriptor = 3; descriptor < 256; ++descriptor) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) < 0) continue;
    if (!SocketAddress::from(reinterpret_cast<sockaddr&>(peer))) continue;
    int no_delay = 0;
    length = sizeof no_delay;
    EXPECT_EQ(::getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length), 0);
    EXPECT_NE(no_delay, 0);
    ++found;
  }
  EXPECT_EQ(found, 2);
}

TEST(TcpStreamSize, AnIdleSessionIsSmall) { EXPECT_LE(sizeof(StreamHandle) + sizeof(TcpStream), 1024u); }

}  // namespace
}  // namespace sallyport::uv
