#include "tests/support/memory_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "gateway/base/ensure.h"
#include "tests/support/manual_loop.h"

namespace sallyport::support {
namespace {

using namespace std::chrono_literals;
using io::Error;
using Outcome = Result<Done, Error>;

class MemoryStreamTest : public ::testing::Test {
 protected:
  Time in(Duration duration) { return loop.now() + duration; }
  Outcome fill(io::Stream& stream, Duration limit = 10s) { return loop.run_until_done(stream.fill(in(limit))); }
  Outcome write(io::Stream& stream, std::string_view octets, Duration limit = 10s) {
    return loop.run_until_done(stream.write(octets, in(limit)));
  }

  ManualLoop loop;
};

// Runs beside the test until it is done; the outcome is kept.
Task<void> keep_outcome(Task<Outcome> task, std::optional<Outcome>& outcome) { outcome = co_await std::move(task); }

Task<void> read_pieces(io::Stream& stream, std::vector<std::string>& pieces, Time deadline) {
  while (true) {
    Outcome more = co_await stream.fill(deadline);
    if (!more) co_return;
    pieces.emplace_back(stream.input());
    stream.consume(stream.input().size());
  }
}

TEST_F(MemoryStreamTest, CarriesOctetsBothWays) {
  auto [client, server] = memory_streams(loop.scheduler());
  EXPECT_TRUE(write(*client, "EHLO a\r\n"));
  EXPECT_EQ(server->input(), "EHLO a\r\n");  // it arrives without anybody waiting for it
  server->consume(5);
  EXPECT_EQ(server->input(), "a\r\n");
  std::vector<std::string_view> parts{"250-b\r\n", "", "250 HELP\r\n"};
  EXPECT_TRUE(loop.run_until_done(server->write_parts(parts, in(1s))));
  EXPECT_EQ(client->input(), "250-b\r\n250 HELP\r\n");
  EXPECT_EQ(server->write_calls(), 1u);
  EXPECT_TRUE(client->is_open());
}

TEST_F(MemoryStreamTest, FillWaitsForMoreThanIsThere) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  peer.send("one");
  EXPECT_EQ(stream->input(), "one");
  std::optional<Outcome> outcome;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(keep_outcome(stream->fill(in(1min)), outcome));
  loop.run();
  EXPECT_FALSE(outcome);
  peer.send("two");
  loop.run();
  EXPECT_EQ(outcome, Outcome(Done{}));
  EXPECT_EQ(stream->input(), "onetwo");
}

TEST_F(MemoryStreamTest, FillDoesNotWaitForMoreWhenSomethingCameUnseen) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  peer.send("NO");
  EXPECT_EQ(stream->input(), "NO");
  peer.send("OP\r\n");
  EXPECT_TRUE(fill(*stream));
  EXPECT_EQ(stream->input(), "NOOP\r\n");
  EXPECT_EQ(fill(*stream), Outcome(Error::timed_out));
  stream->consume(6);
  peer.send("A");
  EXPECT_TRUE(fill(*stream));
}

TEST_F(MemoryStreamTest, FillEndsAtItsDeadline) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  Time start = loop.now();
  EXPECT_EQ(fill(*stream, 5s), Outcome(Error::timed_out));
  EXPECT_GE(loop.now() - start, 5s);
  EXPECT_TRUE(stream->is_open());
  peer.send("late");
  EXPECT_EQ(stream->input(), "late");
}

TEST_F(MemoryStreamTest, EndComesAfterWhatWasSent) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  peer.send("QUIT\r\n");
  peer.end();
  EXPECT_EQ(stream->input(), "QUIT\r\n");
  EXPECT_FALSE(stream->is_open());
  EXPECT_EQ(fill(*stream), Outcome(Error::closed));
  EXPECT_EQ(stream->input(), "QUIT\r\n");
  EXPECT_TRUE(write(*stream, "221 bye\r\n"));  // half closed: our direction still works
  EXPECT_EQ(peer.received(), "221 bye\r\n");
}

TEST_F(MemoryStreamTest, HoldsOneBlockAndMakesTheWriterWait) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  auto [client, server] = memory_streams(loop.scheduler());
  const std::size_t most = io::block_octets + 64 * 1024;
  std::string much(most, 'x');
  EXPECT_TRUE(write(*client, much));
  EXPECT_EQ(server->input().size(), io::block_octets);
  EXPECT_THROW(std::ignore = fill(*server), BrokenInvariant);

  std::optional<Outcome> outcome;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(keep_outcome(client->write("y", in(1min)), outcome));
  loop.run();
  EXPECT_FALSE(outcome);
  std::size_t seen = 0;
  while (!server->input().empty()) {
    seen += server->input().size();
    EXPECT_LE(server->input().size(), io::block_octets);
    server->consume(server->input().size());
    loop.run();
  }
  EXPECT_EQ(outcome, Outcome(Done{}));
  EXPECT_EQ(seen, most + 1);
}

TEST_F(MemoryStreamTest, AWriteThatTimesOutBreaksTheConnection) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  std::string much(200 * 1024, 'x');
  EXPECT_EQ(write(*stream, much, 5s), Outcome(Error::timed_out));
  EXPECT_FALSE(stream->is_open());
  EXPECT_TRUE(peer.saw_reset());
  EXPECT_EQ(write(*stream, "more"), Outcome(Error::closed));
}

TEST_F(MemoryStreamTest, AWriteThatIsGivenUpBreaksTheConnection) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  std::string much(200 * 1024, 'x');
  std::optional<Outcome> outcome;
  {
    async::Nursery nursery(loop.scheduler());
    nursery.spawn(keep_outcome(stream->write(much, in(1min)), outcome));
    loop.run();
  }
  EXPECT_FALSE(outcome);
  EXPECT_TRUE(peer.saw_reset());
}

TEST_F(MemoryStreamTest, CloseEndsBothWaits) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  std::string much(200 * 1024, 'x');
  std::optional<Outcome> written, filled;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(keep_outcome(stream->write(much, in(1min)), written));
  nursery.spawn(keep_outcome(stream->fill(in(1min)), filled));
  loop.run();
  stream->close();
  stream->close();
  loop.run();
  EXPECT_EQ(written, Outcome(Error::closed));
  EXPECT_EQ(filled, Outcome(Error::closed));
  EXPECT_TRUE(stream->input().empty());
  EXPECT_FALSE(stream->is_open());
}

TEST_F(MemoryStreamTest, WhatWasWrittenGoesOutBeforeTheEnd) {
  auto [client, server] = memory_streams(loop.scheduler());
  EXPECT_TRUE(write(*client, "221 bye\r\n"));
  client->close();
  EXPECT_EQ(server->input(), "221 bye\r\n");
  EXPECT_EQ(fill(*server), Outcome(Error::closed));
  EXPECT_EQ(write(*server, "too late"), Outcome(Error::reset));
}

TEST_F(MemoryStreamTest, AbortResetsBothEnds) {
  auto [client, server] = memory_streams(loop.scheduler());
  client->abort();
  EXPECT_EQ(fill(*server), Outcome(Error::reset));
  EXPECT_EQ(write(*server, "x"), Outcome(Error::reset));
  EXPECT_EQ(fill(*client), Outcome(Error::closed));
  EXPECT_FALSE(server->is_open());
}

TEST_F(MemoryStreamTest, PeerSeesTheEndAndReset) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  EXPECT_TRUE(write(*stream, "x"));
  stream->close();
  EXPECT_EQ(peer.received(), "x");
  EXPECT_TRUE(peer.saw_end());
  EXPECT_FALSE(peer.saw_reset());
}

TEST_F(MemoryStreamTest, ArrivesInPieces) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  peer.set_send_faults({.piece_octets = 2});
  peer.send("abcde");
  peer.end();
  std::vector<std::string> pieces;
  loop.run_until_done(read_pieces(*stream, pieces, in(1min)));
  EXPECT_EQ(pieces, (std::vector<std::string>{"ab", "cd", "e"}));
}

TEST_F(MemoryStreamTest, PiecesMayBeSlow) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  peer.set_send_faults({.piece_octets = 1, .piece_delay = 5s});
  peer.send("abc");
  Time start = loop.now();
  EXPECT_EQ(fill(*stream, 1s), Outcome(Error::timed_out));
  loop.advance(5s);
  EXPECT_EQ(stream->input(), "a");
  EXPECT_TRUE(fill(*stream));
  EXPECT_EQ(stream->input(), "ab");
  EXPECT_TRUE(fill(*stream));
  EXPECT_EQ(stream->input(), "abc");
  EXPECT_GE(loop.now() - start, 15s);
}

TEST_F(MemoryStreamTest, StallsForEver) {
  auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
  peer.set_send_faults({.stall_after = 3});
  peer.send("abcdef");
  peer.end();
  EXPECT_EQ(stream->input(), "abc");
  EXPECT_EQ(fill(*stream, 1h), Outcome(Error::timed_out));
  EXPECT_TRUE(stream->is_open());
}

TEST_F(MemoryStreamTest, ReadingFailsWhereTheTestSaid) {
  for (Error error : {Error::reset, Error::closed}) {
    for (std::size_t piece : {0u, 1u}) {
      auto [stream, peer] = memory_stream_and_peer(loop.scheduler());
      peer.set_send_faults({.piece_octets = piece, .read_fails = Faults::Failure{4, error}});
      peer.send("abcdef");
      loop.run();
      EXPECT_EQ(stream->input(), "abcd");
      EXPECT_EQ(fill(*stream), Outcome(error));
      EXPECT_EQ(stream->input(), "abcd");
      EXPECT_FALSE(stream->is_open());
    }
  }
}

TEST_F(MemoryStreamTest, WritingFailsWhereTheTestSaid) {
  auto [client, server] = memory_streams(loop.scheduler());
  client->set_write_faults({.write_fails = Faults::Failure{4, Error::reset}});
  EXPECT_TRUE(write(*client, "abc"));
  EXPECT_EQ(write(*client, "def"), Outcome(Error::reset));
  EXPECT_EQ(server->input(), "abcd");
  EXPECT_EQ(fill(*server), Outcome(Error::reset));
}

TEST_F(MemoryStreamTest, OutlivesItsOtherEnd) {
  auto [client, server] = memory_streams(loop.scheduler());
  server.reset();
  EXPECT_EQ(fill(*client), Outcome(Error::closed));
}

}  // namespace
}  // namespace sallyport::support
