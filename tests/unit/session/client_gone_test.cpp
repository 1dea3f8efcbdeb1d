// Clients that leave while their message is being delivered (threats.md U13). Each has sent its whole content before. A
// reset before our end of data is written completes nothing. A client that ends its side, by FIN or under TLS by
// close_notify with the connection still open below, or by an end without it, has said all it will say: its mail is
// delivered. Whatever comes after our end of data, the upstream finishes, and its answer is logged as one that perhaps
// nobody heard.
#include <gtest/gtest.h>

#include "tests/unit/session/faulty_upstream.h"
#include "tests/unit/session/raw_tls_client.h"

namespace sallyport::session {
namespace {

using std::chrono::seconds;

enum class Leaving { fin, reset, close_notify, tls_fin, tls_reset };
enum class Spool { memory, file };

bool is_by_tls(Leaving leaving) { return leaving >= Leaving::close_notify; }
bool is_reset(Leaving leaving) { return leaving == Leaving::reset || leaving == Leaving::tls_reset; }

// A client, plain or by TLS, in front of a server that takes its time at one point.
class SlowDelivery {
 public:
  SlowDelivery(Leaving leaving, FaultyUpstream::Kind kind, Point slow_at, Spool spool = Spool::memory)
      : leaving_(leaving) {
    server_ = std::make_unique<FaultyUpstream>(world.loop.scheduler(), kind,
                                               FaultyUpstream::Plan{slow_at, Misdeed::late}, world.upstream, nullptr);
    if (spool == Spool::file) world.settings.limits.memory_per_message = 1024;
    world.dialer.serve(first_server, [this](std::unique_ptr<support::MemoryStream> stream) {
      FaultyUpstream::narrow(*stream);
      return server_->serve(std::move(stream));
    });
    if (is_by_tls(leaving)) {
      secured_ = std::make_unique<RawTlsClient>(world);
      EXPECT_TRUE(secured_->shake());
    } else {
      world.connect();
    }
    say("EHLO client.example\r\n");
    server_->arm();
  }
  ~SlowDelivery() {
    // The session ends by itself, whatever it was waiting for.
    world.advance(seconds(300));
    EXPECT_TRUE(world.is_over());
  }

  // Up to the end of data; the server is then in no hurry, and the client leaves.
  void send_and_leave(std::size_t octets) {
    say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
    EXPECT_EQ(say("DATA\r\n").substr(0, 4), "354 ");
    std::string message = "Message-ID: <1@example.org>\r\n\r\n";
    do {
      message += "hello hello hello hello\r\n";
    } while (message.size() < octets);
    EXPECT_EQ(say(message + ".\r\n"), "");
    world.advance(seconds(1));
    leave();
    world.advance(seconds(250));
  }

  std::string transaction() const { return world.log.find("event=transaction"); }
  std::uint64_t count(Fault kind) const { return world.counters.get(kind); }

  void expect_nothing_was_completed() {
    EXPECT_EQ(world.upstream.stored.size(), 0u);
    EXPECT_EQ(count(Fault::client_lost), 1u);
    EXPECT_EQ(count(Fault::reply_lost) + count(Fault::outcome_unknown), 0u);
    EXPECT_NE(transaction().find("verdict=drop"), std::string::npos) << transaction();
    EXPECT_NE(transaction().find("check=client_lost"), std::string::npos) << transaction();
  }
  // Of a client that left before our end of data.
  void expect_outcome_of_leaving() { is_reset(leaving_) ? expect_nothing_was_completed() : expect_reply_lost(); }
  void expect_reply_lost() {
    EXPECT_EQ(world.upstream.stored.size(), 1u);
    EXPECT_EQ(count(Fault::reply_lost), 1u);
    EXPECT_EQ(count(Fault::client_lost) + count(Fault::outcome_unknown), 0u);
    EXPECT_NE(transaction().find("verdict=relay"), std::string::npos) << transaction();
    EXPECT_NE(transaction().find("check=reply_lost"), std::string::npos) << transaction();
    EXPECT_NE(transaction().find("reply=\"250 2.0.0 Stored\""), std::string::npos) << transaction();
  }

 private:
  std::unique_ptr<FaultyUpstream> server_;  // ends after the world

 public:
  World world;

 private:
  std::string say(std::string_view octets) { return secured_ ? secured_->say(octets) : world.say(octets); }
  void leave() {
    switch (leaving_) {
      case Leaving::fin:
      case Leaving::tls_fin:
        world.client->end();
        break;
      case Leaving::reset:
      case Leaving::tls_reset:
        world.client->reset();
        break;
      case Leaving::close_notify:
        SSL_shutdown(secured_->ssl());
        secured_->pass_on();
        break;
    }
    world.loop.run();
  }

  Leaving leaving_;
  std::unique_ptr<RawTlsClient> secured_;
};

class ClientGone : public testing::TestWithParam<Leaving> {};

TEST_P(ClientGone, WhileTheGoAheadIsWaitedFor) {
  for (auto kind : {FaultyUpstream::Kind::plain, FaultyUpstream::Kind::pipelining}) {
    SlowDelivery delivery(GetParam(), kind, Point::go_ahead);
    delivery.send_and_leave(100);
    delivery.expect_outcome_of_leaving();
  }
}

TEST_P(ClientGone, InTheMiddleOfALargeMessage) {
  for (auto kind : {FaultyUpstream::Kind::pipelining, FaultyUpstream::Kind::chunking}) {
    for (Spool spool : {Spool::memory, Spool::file}) {
      SCOPED_TRACE(std::to_string(int(kind)) + (spool == Spool::file ? " file" : " memory"));
      SlowDelivery delivery(GetParam(), kind, Point::mid_content, spool);
      delivery.send_and_leave(200000);
      delivery.expect_outcome_of_leaving();
    }
  }
}

TEST_P(ClientGone, AfterTheEndOfData) {
  for (auto kind : {FaultyUpstream::Kind::pipelining, FaultyUpstream::Kind::chunking}) {
    for (std::size_t octets : {100, 200000}) {
      SlowDelivery delivery(GetParam(), kind, Point::after_end);
      delivery.send_and_leave(octets);
      delivery.expect_reply_lost();
    }
  }
}

std::string name_of(const testing::TestParamInfo<Leaving>& leaving) {
  constexpr std::array names = {"fin", "reset", "close_notify", "tls_fin", "tls_reset"};
  return names.at(static_cast<std::size_t>(leaving.param));
}
INSTANTIATE_TEST_SUITE_P(By, ClientGone,
                         testing::Values(Leaving::fin, Leaving::reset, Leaving::close_notify, Leaving::tls_fin,
                                         Leaving::tls_reset),
                         name_of);

// Nothing was stored, so nothing was lost with the answer.
TEST(ClientGoneToo, BeforeARefusal) {
  World world;
  world.upstream.replies["."] = "552 5.2.2 Mailbox full\r\n";
  world.upstream.before_final_reply = [&] { world.client->end(); };
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
  world.say("DATA\r\n");
  world.say("hello\r\n.\r\n");
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Fault::reply_lost), 0u);
  std::string line = world.log.find("event=transaction");
  EXPECT_NE(line.find("verdict=reject"), std::string::npos) << line;
  EXPECT_NE(line.find("552 5.2.2 Mailbox full"), std::string::npos) << line;
}

}  // namespace
}  // namespace sallyport::session
