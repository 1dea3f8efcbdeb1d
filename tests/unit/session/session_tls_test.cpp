// A session under TLS, in front and behind.
#include <gtest/gtest.h>

#include "gateway/stream/tls_stream.h"
#include "tests/unit/session/world.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::session {
namespace {

std::shared_ptr<const tls::ServerContext> server_context() {
  tls::ServerTlsSettings settings;
  settings.certificates = {tls::common_certificates().ecdsa};
  return tls::make_server_context(settings).value();
}

std::shared_ptr<const tls::ClientContext> client_context() {
  tls::ClientTlsSettings settings;
  settings.mode = tls::UpstreamTls::require;
  return tls::make_client_context(settings).value();
}

// A client that speaks TLS.
class TlsClient {
 public:
  explicit TlsClient(World& world) : world_(world), talking_(world.loop.scheduler()) {
    auto [ours, theirs] = support::memory_streams(world.loop.scheduler());
    stream_ = std::move(ours);
    world.connect(std::move(theirs), *SocketAddress::parse("192.0.2.1:1234"));
  }

  std::string say(std::string octets) {
    talking_.spawn(write(std::move(octets)));
    return heard();
  }
  std::string heard() {
    talking_.spawn(read());
    world_.loop.run();
    talking_.cancel();
    return std::exchange(heard_, {});
  }
  bool start_tls() {
    bool done = false;
    auto secured = std::make_unique<stream::TlsStream>(std::move(stream_), context_->make_engine("mx.example.com"));
    stream::TlsStream& stream = *secured;
    stream_ = std::move(secured);
    talking_.spawn(shake(stream, done));
    world_.loop.run();
    return done;
  }

 private:
  Task<void> write(std::string octets) { static_cast<void>(co_await stream_->write(octets, async::no_deadline)); }
  Task<void> read() {
    while (true) {
      heard_ += stream_->input();
      stream_->consume(stream_->input().size());
      auto more = co_await stream_->fill(async::no_deadline);
      if (!more) co_return;
    }
  }
  static Task<void> shake(stream::TlsStream& stream, bool& done) {
    done = (co_await stream.handshake(async::no_deadline)).ok();
  }

  World& world_;
  std::shared_ptr<const tls::ClientContext> context_ = client_context();
  std::unique_ptr<io::Stream> stream_;
  std::string heard_;
  async::Nursery talking_;
};

// Looks something up for a second at EHLO.
class SlowPolicy final : public TestPolicy {
 public:
  std::string_view name() const override { return "slow"; }
  bool gathers_at(policies::Stage stage) const override { return stage == policies::Stage::helo; }
  Task<void> gather(policies::Stage, const policies::Transaction&, policies::Facts&,
                    const policies::GatherContext& context) const override {
    co_await async::sleep_for(context.scheduler, std::chrono::seconds(1));
  }
};

TEST(SessionTls, NothingSaidBeforeItCounts) {
  World world;
  world.listener.tls = server_context();
  TlsClient client(world);
  EXPECT_EQ(client.heard().substr(0, 4), "220 ");
  EXPECT_NE(client.say("EHLO plain.example\r\n").find("250-STARTTLS\r\n"), std::string::npos);
  EXPECT_EQ(client.say("STARTTLS\r\n").substr(0, 10), "220 2.0.0 ");
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(world.counters.get(Gauge::tls_sessions), 1);
  EXPECT_EQ(client.say("MAIL FROM:<ann@example.org>\r\n").substr(0, 9), "503 5.5.1");
  std::string ehlo = client.say("EHLO secret.example\r\n");
  EXPECT_EQ(ehlo.find("STARTTLS"), std::string::npos) << ehlo;
  EXPECT_EQ(client.say("STARTTLS\r\n").substr(0, 9), "503 5.5.1");
  client.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
  client.say("DATA\r\n");
  EXPECT_EQ(client.say("hello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  EXPECT_NE(world.upstream.stored.at(0).content.find("Received: from secret.example "), std::string::npos);
  EXPECT_NE(world.upstream.stored.at(0).content.find("ESMTPS"), std::string::npos);
  EXPECT_EQ(client.say("QUIT\r\n").substr(0, 4), "221 ");
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Gauge::tls_sessions), 0);
}

// T12: where TLS is spoken from the first octet, the demand for it is met.
TEST(SessionTls, TlsFromTheFirstOctetIsTlsEnough) {
  World world;
  world.listener.tls = server_context();
  world.listener.settings.tls = config::ListenTls::implicit;
  world.listener.settings.require_tls = true;
  TlsClient client(world);
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.heard().substr(0, 4), "220 ");
  EXPECT_EQ(client.say("EHLO client.example\r\n").find("STARTTLS"), std::string::npos);
  EXPECT_EQ(client.say("MAIL FROM:<ann@example.org>\r\n"), "250 2.1.0 Ok\r\n");
}

// S13: what has arrived counts, decrypted or not.
TEST(SessionTls, WhoRunsAheadIsNoticedUnderTlsToo) {
  World world;
  world.listener.tls = server_context();
  world.listener.settings.tls = config::ListenTls::implicit;
  world.add(std::make_unique<SlowPolicy>());
  TlsClient client(world);
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.heard().substr(0, 4), "220 ");
  EXPECT_EQ(client.say("EHLO client.example\r\n"), "");
  EXPECT_EQ(client.say("MAIL FROM:<ann@example.org>\r\n"), "");
  world.advance(std::chrono::seconds(2));
  EXPECT_EQ(client.heard().substr(0, 10), "554 5.5.0 ");
  EXPECT_EQ(world.counters.get(Violation::sync), 1u);
}

// S14: what a front door has said of its client in the clear may be somebody else's word.
TEST(SessionTls, WhatXclientSaidBeforeItIsForgotten) {
  World world;
  world.listener.tls = server_context();
  world.listener.settings.xclient_from = {*IpNetwork::parse("192.0.2.1")};
  TlsClient client(world);
  client.heard();
  EXPECT_EQ(client.say("XCLIENT ADDR=198.51.100.7 HELO=friend.example\r\n").substr(0, 4), "220 ");
  client.say("EHLO front.example\r\n");
  EXPECT_EQ(client.say("STARTTLS\r\n").substr(0, 4), "220 ");
  ASSERT_TRUE(client.start_tls());
  const std::string_view mail = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\nRSET\r\n";
  client.say("EHLO front.example\r\n");
  client.say(std::string(mail));
  EXPECT_NE(world.log.find("ip=192.0.2.1 rdns=\"\" helo=front.example"), "");
  EXPECT_EQ(client.say("XCLIENT ADDR=198.51.100.8\r\n").substr(0, 4), "220 ");
  client.say("EHLO friend.example\r\n");
  client.say(std::string(mail));
  EXPECT_NE(world.log.find("ip=198.51.100.8 rdns=\"\" helo=friend.example"), "");
  EXPECT_EQ(world.log.find("ip=198.51.100.7"), "");
}

TEST(SessionTls, ABrokenHandshakeIsRecorded) {
  World world;
  world.listener.tls = server_context();
  world.listener.settings.tls = config::ListenTls::implicit;
  world.connect();
  world.say("EHLO client.example\r\n");
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Violation::tls_error), 1u);
}

TEST(SessionTls, AHandshakeThatStallsIsEnded) {
  World world;
  world.listener.tls = server_context();
  world.listener.settings.tls = config::ListenTls::implicit;
  world.connect();
  world.advance(std::chrono::seconds(31));
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Violation::tls_stall), 1u);
}

// U4: what the upstream said unasked lies there encrypted, and must not pass for the answer to the next command.
TEST(SessionTls, AKeptConnectionThatHasSpokenUnaskedIsNotUsed) {
  World world;
  world.settings.upstreams["default"].tls.mode = tls::UpstreamTls::require;
  world.upstream_tls["default"] = client_context();
  world.upstream.tls = server_context();
  world.upstream.replies["EHLO"] = "250-upstream.example\r\n250-STARTTLS\r\n250 PIPELINING\r\n";
  world.upstream.replies["STARTTLS"] = "220 2.0.0 go\r\n";
  world.greet();
  std::string_view group = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n";
  EXPECT_EQ(world.say(group), "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("hello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  int before = world.upstream.connections;
  async::Nursery blurting(world.loop.scheduler());
  blurting.spawn(world.upstream.blurt("421 4.4.2 Idle\r\n"));
  world.loop.run();
  EXPECT_EQ(world.say(group), "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.upstream.connections, before + 1);
}

}  // namespace
}  // namespace sallyport::session
