#include "gateway/stream/tls_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/support/manual_loop.h"
#include "tests/support/memory_stream.h"
#include "tests/unit/tls/engine_pair.h"

namespace sallyport::stream {
namespace {

using async::no_deadline;
using async::Nursery;
using io::Error;
using std::chrono::seconds;
using support::ManualLoop;
using support::MemoryStream;

using Outcome = Result<Done, Error>;

Task<void> keep(Task<Outcome> task, std::optional<Outcome>& place) { place.emplace(co_await std::move(task)); }

// Reads until so many octets have come, or as far as they come, consuming all.
Task<Result<std::string, Error>> read_octets(io::Stream& stream, std::size_t octets, Time deadline = no_deadline) {
  std::string got;
  while (true) {
    std::size_t share = std::min(stream.input().size(), octets - got.size());
    got += stream.input().substr(0, share);
    stream.consume(share);
    if (got.size() == octets) co_return got;
    auto more = co_await stream.fill(deadline);
    if (!more) co_return more.error();
  }
}

// Two TlsStreams over a connection in memory.
class TlsStreams : public testing::Test {
 protected:
  TlsStreams() {
    auto [client_below, server_below] = support::memory_streams(loop_.scheduler());
    client_below_ = client_below.get();
    server_below_ = server_below.get();
    client_ =
        std::make_unique<TlsStream>(std::move(client_below), tls::client_context()->make_engine("mx.example.test"));
    server_ = std::make_unique<TlsStream>(std::move(server_below), tls::server_context()->make_engine());
  }

  void shake() {
    std::optional<Outcome> client;
    std::optional<Outcome> server;
    Nursery nursery(loop_.scheduler());
    nursery.spawn(keep(client_->handshake(no_deadline), client));
    nursery.spawn(keep(server_->handshake(no_deadline), server));
    for (int turn = 0; turn < 100'000 && nursery.size() > 0; ++turn) {
      loop_.run();
      loop_.advance_to_next_timer();
    }
    ASSERT_TRUE(client && client->ok());
    ASSERT_TRUE(server && server->ok());
  }
  Outcome write(TlsStream& stream, std::string_view octets) {
    return loop_.run_until_done(stream.write(octets, no_deadline));
  }
  Outcome fill(TlsStream& stream) { return loop_.run_until_done(stream.fill(no_deadline)); }
  // Writes at one end while the other reads.
  std::string carry(TlsStream& from, TlsStream& to, std::string_view octets) {
    std::optional<Outcome> sent;
    Nursery nursery(loop_.scheduler());
    nursery.spawn(keep(from.write(octets, no_deadline), sent));
    auto got = loop_.run_until_done(read_octets(to, octets.size()));
    loop_.run();
    EXPECT_TRUE(sent && sent->ok());
    return got ? *got : "";
  }

  ManualLoop loop_;
  MemoryStream* client_below_ = nullptr;
  MemoryStream* server_below_ = nullptr;
  std::unique_ptr<TlsStream> client_;
  std::unique_ptr<TlsStream> server_;
};

TEST_F(TlsStreams, ShakeHandsAndTellWhatWasSettled) {
  shake();
  EXPECT_EQ(server_->info().version, "TLSv1.3");
  EXPECT_EQ(server_->info().sni, "mx.example.test");
  EXPECT_EQ(server_->failure(), "");
  EXPECT_TRUE(server_->is_open());
  EXPECT_EQ(server_->input(), "");
}

TEST_F(TlsStreams, AnEndWithoutCloseNotifyBreaksNothing) {
  shake();
  EXPECT_FALSE(server_->is_broken());
  server_below_->set_read_faults({.read_fails = support::Faults::Failure{0, io::Error::closed}});
  EXPECT_EQ(fill(*server_), Outcome(io::Error::truncated));
  EXPECT_FALSE(server_->is_open());
  EXPECT_FALSE(server_->is_broken());
  server_->close();
  EXPECT_TRUE(server_->is_broken());
}

TEST_F(TlsStreams, AResetBreaksIt) {
  shake();
  client_below_->abort();
  EXPECT_EQ(fill(*server_), Outcome(io::Error::reset));
  EXPECT_TRUE(server_->is_broken());
}

TEST_F(TlsStreams, ABrokenRecordBreaksIt) {
  shake();
  EXPECT_TRUE(loop_.run_until_done(client_below_->write("no record at all", no_deadline)));
  EXPECT_EQ(fill(*server_), Outcome(io::Error::tls));
  EXPECT_TRUE(server_->is_broken());
}

TEST_F(TlsStreams, CarryOctetsBothWays) {
  shake();
  EXPECT_EQ(carry(*server_, *client_, "220 mx.example.test ESMTP\r\n"), "220 mx.example.test ESMTP\r\n");
  EXPECT_EQ(carry(*client_, *server_, "EHLO a.example\r\n"), "EHLO a.example\r\n");
}

TEST_F(TlsStreams, CarryTheSameOneOctetAtATime) {
  for (MemoryStream* below : {client_below_, server_below_}) below->set_read_faults({.piece_octets = 1});
  shake();
  std::string message(40'000, 'x');
  EXPECT_EQ(carry(*client_, *server_, message), message);
  EXPECT_EQ(carry(*server_, *client_, "250 2.0.0 Ok\r\n"), "250 2.0.0 Ok\r\n");
}

TEST_F(TlsStreams, CarryAMessageLargerThanAllBuffers) {
  shake();
  std::string message(1'000'000, '\0');
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<char>(i * 31 + i / 253);
  EXPECT_EQ(carry(*client_, *server_, message), message);
}

TEST_F(TlsStreams, InputGrowsAndIsConsumedFromTheFront) {
  shake();
  EXPECT_TRUE(write(*client_, "MAIL FR"));
  EXPECT_TRUE(fill(*server_));
  EXPECT_EQ(server_->input(), "MAIL FR");
  EXPECT_TRUE(write(*client_, "OM:<>\r\nRCPT"));
  EXPECT_TRUE(fill(*server_));
  EXPECT_EQ(server_->input(), "MAIL FROM:<>\r\nRCPT");
  server_->consume(14);
  EXPECT_EQ(server_->input(), "RCPT");
  EXPECT_TRUE(write(*client_, " TO"));
  EXPECT_TRUE(fill(*server_));
  EXPECT_EQ(server_->input(), "RCPT TO");
  server_->consume(7);
  EXPECT_EQ(server_->input(), "");
  EXPECT_THROW(server_->consume(1), BrokenInvariant);
}

TEST_F(TlsStreams, HoldOneBlockAndNoMore) {
  shake();
  std::optional<Outcome> sent;
  std::string message(200'000, 'x');
  Nursery nursery(loop_.scheduler());
  nursery.spawn(keep(client_->write(message, no_deadline), sent));
  while (server_->input().size() < io::block_octets) ASSERT_TRUE(fill(*server_));
  EXPECT_EQ(server_->input().size(), io::block_octets);
  EXPECT_THROW((void)fill(*server_), BrokenInvariant);
  EXPECT_FALSE(sent);  // the writer waits for us
}

TEST_F(TlsStreams, WhatCameBehindTheHandshakeIsThereAtTheFirstFill) {
  // The client's Finished and its first command arrive in one piece.
  shake();
  EXPECT_TRUE(write(*client_, "EHLO a.example\r\n"));
  EXPECT_TRUE(write(*client_, "NOOP\r\n"));
  EXPECT_TRUE(fill(*server_));
  EXPECT_EQ(server_->input(), "EHLO a.example\r\nNOOP\r\n");
}

TEST_F(TlsStreams, JoinSmallPartsIntoOneRecordAndOneWrite) {
  shake();
  std::vector<std::string_view> parts(100, "250-EXTENSION\r\n");
  std::size_t calls = server_below_->write_calls();
  EXPECT_TRUE(loop_.run_until_done(server_->write_parts(parts, no_deadline)));
  EXPECT_EQ(server_below_->write_calls(), calls + 1);
  EXPECT_LT(client_below_->input().size(), 1500u + 2 * 22 + 400);  // one record, behind the ticket
  EXPECT_TRUE(fill(*client_));
  EXPECT_EQ(client_->input().size(), 1500u);
}

TEST_F(TlsStreams, SendPartsInOrderWhateverTheirSizes) {
  shake();
  std::string expected;
  std::vector<std::string> octets;
  for (std::size_t size : {10u, 5000u, 0u, 3000u, 3000u, 3000u, 3000u, 4095u, 1u, 20'000u, 4096u, 100u, 70'000u, 7u}) {
    octets.emplace_back(size, static_cast<char>('a' + octets.size()));
    expected += octets.back();
  }
  std::vector<std::string_view> parts(octets.begin(), octets.end());
  std::optional<Outcome> sent;
  Nursery nursery(loop_.scheduler());
  nursery.spawn(keep(client_->write_parts(parts, no_deadline), sent));
  auto got = loop_.run_until_done(read_octets(*server_, expected.size()));
  ASSERT_TRUE(got);
  EXPECT_TRUE(*got == expected);
}

TEST_F(TlsStreams, WriteAMessageInFewSystemCalls) {
  shake();
  std::string header(300, 'h');
  std::string body(200'000, 'b');
  std::array<std::string_view, 3> parts = {header, body, ".\r\n"};
  std::size_t calls = client_below_->write_calls();
  std::optional<Outcome> sent;
  Nursery nursery(loop_.scheduler());
  nursery.spawn(keep(client_->write_parts(parts, no_deadline), sent));
  ASSERT_TRUE(loop_.run_until_done(read_octets(*server_, header.size() + body.size() + 3)));
  EXPECT_LE(client_below_->write_calls(), calls + 5);
}

TEST_F(TlsStreams, NothingToWriteIsWrittenAtOnce) {
  shake();
  std::size_t calls = client_below_->write_calls();
  EXPECT_TRUE(write(*client_, ""));
  EXPECT_TRUE(loop_.run_until_done(client_->write_parts({}, no_deadline)));
  EXPECT_EQ(client_below_->write_calls(), calls);
}

TEST_F(TlsStreams, CloseSaysCloseNotify) {
  shake();
  EXPECT_TRUE(write(*client_, "QUIT\r\n"));
  client_->close();
  client_->close();
  EXPECT_FALSE(client_->is_open());
  EXPECT_TRUE(fill(*server_));
  EXPECT_EQ(server_->input(), "QUIT\r\n");
  EXPECT_EQ(fill(*server_), Outcome(Error::closed));
  EXPECT_EQ(server_->input(), "QUIT\r\n");
  EXPECT_FALSE(server_->is_open());
  EXPECT_EQ(write(*client_, "NOOP\r\n"), Outcome(Error::closed));
  EXPECT_EQ(fill(*client_), Outcome(Error::closed));
}

TEST_F(TlsStreams, AStreamThatIsDroppedSaysCloseNotify) {
  shake();
  client_.reset();
  EXPECT_EQ(fill(*server_), Outcome(Error::closed));
}

TEST_F(TlsStreams, AnEndWithoutCloseNotifyIsTruncation) {
  shake();
  EXPECT_TRUE(write(*client_, "half a mess"));
  client_below_->close();
  EXPECT_TRUE(fill(*server_));
  EXPECT_EQ(fill(*server_), Outcome(Error::truncated));
  EXPECT_EQ(server_->input(), "half a mess");
  EXPECT_FALSE(server_->is_open());
}

TEST_F(TlsStreams, AResetBelowIsAReset) {
  shake();
  client_->abort();
  EXPECT_FALSE(client_->is_open());
  EXPECT_EQ(fill(*server_), Outcome(Error::reset));
  EXPECT_EQ(write(*server_, "250 Ok\r\n"), Outcome(Error::reset));
  EXPECT_EQ(write(*server_, "250 Ok\r\n"), Outcome(Error::reset));
  EXPECT_FALSE(server_->is_open());
}

TEST_F(TlsStreams, ClosingEndsAPendingFill) {
  shake();
  std::optional<Outcome> filled;
  Nursery nursery(loop_.scheduler());
  nursery.spawn(keep(server_->fill(no_deadline), filled));
  loop_.run();
  EXPECT_FALSE(filled);
  server_->close();
  loop_.run();
  EXPECT_EQ(filled, Outcome(Error::closed));
}

TEST_F(TlsStreams, ClosingEndsAPendingWrite) {
  shake();
  std::string message(500'000, 'x');
  std::optional<Outcome> sent;
  Nursery nursery(loop_.scheduler());
  nursery.spawn(keep(client_->write(message, no_deadline), sent));
  loop_.run();
  EXPECT_FALSE(sent);
  client_->close();
  loop_.run();
  EXPECT_EQ(sent, Outcome(Error::closed));
}

TEST_F(TlsStreams, DeadlinesCountForReadingAndWriting) {
  shake();
  EXPECT_EQ(loop_.run_until_done(server_->fill(loop_.now() + seconds(5))), Outcome(Error::timed_out));
  EXPECT_TRUE(server_->is_open());  // nothing is lost by having waited
  EXPECT_EQ(carry(*client_, *server_, "NOOP\r\n"), "NOOP\r\n");
  std::string message(500'000, 'x');
  EXPECT_EQ(loop_.run_until_done(client_->write(message, loop_.now() + seconds(5))), Outcome(Error::timed_out));
  EXPECT_FALSE(client_->is_open());
}

TEST_F(TlsStreams, AHandshakeThatStallsTimesOut) {
  EXPECT_EQ(loop_.run_until_done(server_->handshake(loop_.now() + seconds(30))), Outcome(Error::timed_out));
}

TEST_F(TlsStreams, AnEndDuringTheHandshakeIsTruncation) {
  client_below_->close();
  EXPECT_EQ(loop_.run_until_done(server_->handshake(no_deadline)), Outcome(Error::truncated));
}

TEST_F(TlsStreams, ClosingEndsAPendingHandshake) {
  std::optional<Outcome> shaken;
  Nursery nursery(loop_.scheduler());
  nursery.spawn(keep(server_->handshake(no_deadline), shaken));
  loop_.run();
  server_->close();
  loop_.run();
  EXPECT_EQ(shaken, Outcome(Error::closed));
}

TEST_F(TlsStreams, AFailedHandshakeIsTheSameForBothAndTellsWhy) {
  tls::ServerTlsSettings settings;
  settings.certificates = {tls::common_certificates().ecdsa};
  auto client = tls::client_context(
      {.mode = tls::UpstreamTls::verify, .name = "other.example", .ca_file = tls::common_certificates().ecdsa.chain});
  auto [client_below, server_below] = support::memory_streams(loop_.scheduler());
  TlsStream upstream(std::move(client_below), client->make_engine("other.example"));
  TlsStream server(std::move(server_below), tls::server_context(settings)->make_engine());
  std::optional<Outcome> shaken;
  Nursery nursery(loop_.scheduler());
  nursery.spawn(keep(server.handshake(no_deadline), shaken));
  EXPECT_EQ(loop_.run_until_done(upstream.handshake(no_deadline)), Outcome(Error::tls));
  EXPECT_EQ(upstream.failure(), "hostname mismatch");
  loop_.run();
  EXPECT_EQ(shaken, Outcome(Error::tls));
  EXPECT_THAT(server.failure(), testing::HasSubstr("alert"));
  EXPECT_FALSE(server.is_open());
}

TEST_F(TlsStreams, ARecordDamagedOnTheWayFailsAndTheOtherSideHearsOfIt) {
  shake();
  // What is not TLS, in the middle of TLS.
  EXPECT_TRUE(loop_.run_until_done(client_below_->write("RSET\r\n more than a record header", no_deadline)));
  EXPECT_EQ(fill(*server_), Outcome(Error::tls));
  EXPECT_NE(server_->failure(), "");
  EXPECT_EQ(fill(*server_), Outcome(Error::tls));
  EXPECT_EQ(write(*server_, "250 Ok\r\n"), Outcome(Error::tls));
  EXPECT_FALSE(server_->is_open());
  EXPECT_EQ(fill(*client_), Outcome(Error::tls));  // by the alert
}

TEST_F(TlsStreams, OneReaderAndOneWriterWorkAtTheSameTime) {
  shake();
  std::string there(300'000, 't');
  std::string back(300'000, 'b');
  std::optional<Outcome> sent_there;
  std::optional<Outcome> sent_back;
  Nursery nursery(loop_.scheduler());
  nursery.spawn(keep(client_->write(there, no_deadline), sent_there));
  nursery.spawn(keep(server_->write(back, no_deadline), sent_back));
  auto got_there = loop_.run_until_done(read_octets(*server_, there.size()));
  auto got_back = loop_.run_until_done(read_octets(*client_, back.size()));
  EXPECT_TRUE(got_there && *got_there == there);
  EXPECT_TRUE(got_back && *got_back == back);
  EXPECT_TRUE(sent_there && sent_there->ok() && sent_back && sent_back->ok());
}

TEST_F(TlsStreams, AWaitThatIsGivenUpLeavesTheStreamToBeClosed) {
  shake();
  std::string message(500'000, 'x');
  {
    std::optional<Outcome> sent;
    std::optional<Outcome> filled;
    Nursery nursery(loop_.scheduler());
    nursery.spawn(keep(client_->write(message, no_deadline), sent));
    nursery.spawn(keep(client_->fill(no_deadline), filled));
    loop_.run();
  }
  client_->close();
  loop_.run();
  // The rest of the record is missing: that is no end in order.
  auto got = loop_.run_until_done(read_octets(*server_, message.size()));
  ASSERT_FALSE(got);
  EXPECT_NE(got.error(), Error::closed);
}

}  // namespace
}  // namespace sallyport::stream
