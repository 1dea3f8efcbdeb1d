// How connections end: in order, by reset, by us, by the peer.
#include "gateway/uv/tcp_stream.h"
#include "tests/unit/uv/on_loopback.h"

namespace sallyport::uv {
namespace {

using TcpStreamEnd = OnLoopback;

TEST_F(TcpStreamEnd, TheEndComesAfterWhatWasSent) {
  auto [stream, plain] = connection();
  plain.send("QUIT\r\n");
  plain.end();
  pass(20ms);
  EXPECT_FALSE(stream->is_open());
  EXPECT_TRUE(fill(*stream));
  EXPECT_EQ(stream->input(), "QUIT\r\n");
  EXPECT_EQ(fill(*stream), Outcome(Error::closed));
  EXPECT_EQ(stream->input(), "QUIT\r\n");
  EXPECT_TRUE(write(*stream, "221 bye\r\n"));  // the other direction is still there
  EXPECT_EQ(plain.receive(), "221 bye\r\n");
}

TEST_F(TcpStreamEnd, AnIdleStreamNoticesThatThePeerHasGone) {
  auto [stream, plain] = connection();
  pass(5ms);
  EXPECT_TRUE(stream->is_open());
  plain.close();
  pass(20ms);
  EXPECT_FALSE(stream->is_open());
}

TEST_F(TcpStreamEnd, AResetIsOne) {
  auto [stream, plain] = connection();
  plain.send("abc");
  EXPECT_TRUE(fill(*stream));
  EXPECT_EQ(stream->input(), "abc");
  plain.reset();
  EXPECT_EQ(fill(*stream), Outcome(Error::reset));
  EXPECT_EQ(stream->input(), "abc");
  EXPECT_EQ(write(*stream, "x"), Outcome(Error::reset));
}

TEST_F(TcpStreamEnd, APeerThatHasOnlyEndedItsSideHasBrokenNothing) {
  auto [stream, plain] = connection();
  EXPECT_FALSE(stream->is_broken());
  plain.end();
  pass(20ms);
  EXPECT_FALSE(stream->is_open());
  EXPECT_FALSE(stream->is_broken());
  plain.reset();
  pass(20ms);
  EXPECT_TRUE(stream->is_broken());
}

TEST_F(TcpStreamEnd, AResetAndOurOwnEndBreakIt) {
  auto [reset, its_peer] = connection();
  its_peer.reset();
  pass(20ms);
  EXPECT_TRUE(reset->is_broken());
  auto [closed, other] = connection();
  closed->close();
  EXPECT_TRUE(closed->is_broken());
}

TEST_F(TcpStreamEnd, CloseEndsTheWaits) {
  auto [stream, plain] = connection();
  std::optional<Outcome> filled;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(keep_outcome(stream->fill(in(patience)), filled));
  pass(5ms);
  EXPECT_FALSE(filled);
  stream->close();
  stream->close();
  pass(5ms);
  EXPECT_EQ(filled, Outcome(Error::closed));
  EXPECT_FALSE(stream->is_open());
  EXPECT_EQ(write(*stream, "x"), Outcome(Error::closed));
  EXPECT_EQ(fill(*stream), Outcome(Error::closed));
  stream->consume(3);  // harmless: what it was about is gone
  EXPECT_EQ(plain.receive(), "");
}

TEST_F(TcpStreamEnd, AbortEndsTheWaitsAndResets) {
  auto [stream, plain] = connection();
  std::string much(16 * 1024 * 1024, 'x');
  std::optional<Outcome> filled, written;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(keep_outcome(stream->fill(in(patience)), filled));
  nursery.spawn(keep_outcome(stream->write(much, in(patience)), written));
  pass(10ms);
  stream->abort();
  stream->abort();
  pass(10ms);
  EXPECT_EQ(filled, Outcome(Error::closed));
  EXPECT_EQ(written, Outcome(Error::closed));
  std::string got = "x";
  while (got.front() == 'x') got = plain.receive(1024 * 1024);
  EXPECT_EQ(got, "RESET");
}

TEST_F(TcpStreamEnd, APendingWriteGoesOutBeforeTheEnd) {
  auto [stream, plain] = connection();
  std::string much(8 * 1024 * 1024, 'x');
  std::optional<Outcome> written;
  async::Nursery nursery(loop.scheduler());
  nursery.spawn(keep_outcome(stream->write(much, in(patience)), written));
  pass(10ms);
  ASSERT_FALSE(written);
  stream->close();
  std::size_t got = 0;
  while (true) {
    pollfd readable{plain.get(), POLLIN, 0};
    if (::poll(&readable, 1, 0) == 0) {
      pass(1ms);
      continue;
    }
    std::string more = plain.receive(1024 * 1024);
    if (more.empty()) break;
    ASSERT_NE(more, "RESET");
    got += more.size();
  }
  EXPECT_EQ(got, much.size());
  pass(5ms);
  EXPECT_EQ(written, Outcome(Error::closed));
}

TEST_F(TcpStreamEnd, ThePeerReadsOurLastWordsThoughHeSaidMoreThanWeRead) {
  auto [stream, plain] = connection();
  plain.send("junk that nobody reads");
  pass(10ms);
  EXPECT_TRUE(write(*stream, "554 5.5.0 no\r\n"));
  stream.reset();  // destroyed without close(): the same
  plain.send("and more");
  pass(10ms);
  plain.send("and more");
  pass(10ms);
  EXPECT_EQ(plain.receive(), "554 5.5.0 no\r\n");
  EXPECT_EQ(plain.receive(), "");
}

TEST_F(TcpStreamEnd, APeerThatNeverEndsIsLeftAfterASecond) {
  auto [stream, plain] = connection();
  stream->close();
  pass(1100ms);
  EXPECT_EQ(plain.receive(), "");
  plain.send("x");  // nobody is there any more: the kernel answers with a reset
  EXPECT_LT(::send(plain.get(), "x", 1, MSG_NOSIGNAL), 0);
}

TEST_F(TcpStreamEnd, APeerThatFloodsUsAfterTheEndIsReset) {
  auto [stream, plain] = connection();
  stream->close();
  pass(5ms);
  std::string much(64 * 1024, 'x');
  bool is_broken = false;
  for (int i = 0; i < 100 && !is_broken; ++i) {
    is_broken = ::send(plain.get(), much.data(), much.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN;
    pass(1ms);
  }
  EXPECT_TRUE(is_broken);
}

TEST_F(TcpStreamEnd, MayBeDestroyedAtAnyMoment) {
  for (int moment = 0; moment < 4; ++moment) {
    auto [stream, plain] = connection();
    if (moment > 0) plain.send("abc");
    if (moment > 1) pass(5ms);
    if (moment > 2) plain.reset();
    stream.reset();
    pass(5ms);
  }
}

}  // namespace
}  // namespace sallyport::uv
