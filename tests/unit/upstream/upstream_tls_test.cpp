// TLS towards the upstream where it is required (threats.md U15), and what lies encrypted on a connection that was kept
// (U4).
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "gateway/stream/tls_stream.h"
#include "tests/unit/session/faulty_upstream.h"
#include "tests/unit/tls/test_certificates.h"

namespace sallyport::upstream {
namespace {

using namespace session;

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view mail = "MAIL FROM:<ann@example.org>\r\n";
constexpr std::string_view rcpt = "RCPT TO:<bob@example.com>\r\n";
constexpr std::string_view taken = "250 2.0.0 Stored\r\n";

std::shared_ptr<const tls::ServerContext> server_context() {
  tls::ServerTlsSettings settings;
  settings.certificates = {tls::common_certificates().ecdsa};
  return tls::make_server_context(settings).value();
}

// Does not pass on its end: the connection below a TLS stream that has said close_notify and lingers.
class LingeringStream final : public io::Stream {
 public:
  explicit LingeringStream(std::shared_ptr<io::Stream> inner) : inner_(std::move(inner)) {}
  std::string_view input() const override { return inner_->input(); }
  void consume(std::size_t octets) override { inner_->consume(octets); }
  Task<Result<Done, io::Error>> fill(Time deadline) override { return inner_->fill(deadline); }
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override {
    return inner_->write(octets, deadline);
  }
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time deadline) override {
    return inner_->write_parts(parts, deadline);
  }
  bool is_open() const override { return inner_->is_open(); }
  bool is_broken() const override { return inner_->is_broken(); }
  void close() override {}
  void abort() override { inner_->abort(); }

 private:
  std::shared_ptr<io::Stream> inner_;
};

class UpstreamTls : public testing::Test {
 protected:
  void require(tls::UpstreamTls mode, const std::string& name = {}) {
    auto& group = world.settings.upstreams["default"].tls;
    group.mode = mode;
    group.name = name;
    tls::ClientTlsSettings settings;
    settings.mode = mode;
    settings.ca_file = tls::common_certificates().ecdsa.chain;
    world.upstream_tls["default"] = tls::make_client_context(settings).value();
  }
  void offer() {
    world.upstream.tls = server_context();
    world.upstream.replies["EHLO"] = "250-upstream.example\r\n250-STARTTLS\r\n250 PIPELINING\r\n";
    world.upstream.replies["STARTTLS"] = "220 2.0.0 go\r\n";
  }
  std::string deliver() {
    world.say(mail);
    EXPECT_EQ(world.say(rcpt), "250 2.1.5 Ok\r\n");
    world.say("DATA\r\n");
    return world.say("hello\r\n.\r\n");
  }
  void expect_refusal() {
    world.greet();
    world.advance(seconds(70));
    world.say(mail);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(world.say(rcpt).substr(0, 10), "451 4.7.5 ");
    }
    EXPECT_GE(world.counters.get(Fault::upstream_tls), 1u);
    for (const std::string& command : world.upstream.commands) {
      EXPECT_FALSE(command.starts_with("MAIL")) << "in the clear, or to somebody else";
    }
    EXPECT_EQ(world.say("NOOP\r\n"), "250 2.0.0 Ok\r\n");
  }
  std::uint64_t reused() const { return world.counters.get(Total::upstream_reused); }

  std::unique_ptr<FaultyUpstream> faulty;
  World world;
};

TEST_F(UpstreamTls, IsNotOfferedWhereItIsRequired) {
  require(tls::UpstreamTls::require);
  expect_refusal();
}

TEST_F(UpstreamTls, IsRefusedWhereItIsRequired) {
  require(tls::UpstreamTls::require);
  offer();
  world.upstream.replies["STARTTLS"] = "454 4.7.0 not now\r\n";
  expect_refusal();
}

TEST_F(UpstreamTls, NameOfAnother) {
  require(tls::UpstreamTls::verify, "mail.example.test");  // the certificate is for mx.example.test
  offer();
  expect_refusal();
}

TEST_F(UpstreamTls, ChainOfNobody) {
  require(tls::UpstreamTls::verify, "mx.example.test");
  tls::ClientTlsSettings settings;
  settings.mode = tls::UpstreamTls::verify;
  settings.ca_file = tls::common_certificates().rsa.chain;
  world.upstream_tls["default"] = tls::make_client_context(settings).value();
  offer();
  expect_refusal();
}

TEST_F(UpstreamTls, VerifiedItServes) {
  require(tls::UpstreamTls::verify, "mx.example.test");
  offer();
  world.greet();
  EXPECT_EQ(deliver(), taken);
}

TEST_F(UpstreamTls, OctetsInTheClearAfterTheGoAhead) {
  require(tls::UpstreamTls::require);
  offer();
  world.upstream.replies["STARTTLS"] = "220 2.0.0 go\r\n250 2.0.0 and what you want to hear\r\n";
  expect_refusal();
  EXPECT_NE(world.log.find("octets in the clear after STARTTLS"), "");
}

// Somebody in the middle gets neither a mail nor the fallback that "opportunistic" otherwise is.
TEST_F(UpstreamTls, OctetsInTheClearAreNoReasonToGoOnInTheClear) {
  require(tls::UpstreamTls::opportunistic);
  offer();
  world.upstream.replies["STARTTLS"] = "220 2.0.0 go\r\n250 2.0.0 and what you want to hear\r\n";
  world.greet();
  world.advance(seconds(70));
  world.say(mail);
  EXPECT_EQ(world.say(rcpt).substr(0, 10), "451 4.3.0 ");
  EXPECT_EQ(world.counters.get(Violation::upstream_protocol), 1u);
}

class BrokenHandshake : public UpstreamTls, public testing::WithParamInterface<std::tuple<io::Error, std::size_t>> {};

// After so many octets of it the connection ends, in this way.
TEST_P(BrokenHandshake, HasAReason) {
  require(tls::UpstreamTls::opportunistic);
  offer();
  world.greet();
  world.advance(seconds(70));  // no connection is kept
  world.log.lines.clear();
  const std::size_t said = world.upstream.replies[""].size() + world.upstream.replies["EHLO"].size() +
                           world.upstream.replies["STARTTLS"].size();
  const auto [end, octets] = GetParam();
  world.dialer.serve(first_server, [&, end = end, octets = octets](std::unique_ptr<support::MemoryStream> stream) {
    support::Faults faults;
    faults.read_fails = {said + octets, end};
    stream->set_write_faults(faults);
    return world.upstream.serve(std::move(stream));
  });
  world.say(mail);
  world.say(rcpt);
  const std::string line = world.log.find("kind=upstream_tls");
  EXPECT_NE(line.find("TLS handshake: "), std::string::npos) << line;
  EXPECT_EQ(line.find("TLS handshake: \""), std::string::npos) << line;
}

INSTANTIATE_TEST_SUITE_P(Ends, BrokenHandshake,
                         testing::Combine(testing::Values(io::Error::reset, io::Error::closed, io::Error::unreachable,
                                                          io::Error::tls),
                                          testing::Values(std::size_t{1}, std::size_t{3}, std::size_t{100})));

// Nothing is sent in the clear because we were short of memory.
TEST_F(UpstreamTls, AShortageOfOursIsNoFailureOfTls) {
  require(tls::UpstreamTls::opportunistic);
  offer();
  world.greet();
  world.advance(seconds(70));
  const std::size_t said = world.upstream.replies[""].size() + world.upstream.replies["EHLO"].size() +
                           world.upstream.replies["STARTTLS"].size();
  const std::uint64_t failures = world.counters.get(Fault::upstream_tls);
  world.dialer.serve(first_server, [this, said](std::unique_ptr<support::MemoryStream> stream) {
    support::Faults faults;
    faults.read_fails = {said + 10, io::Error::exhausted};
    stream->set_write_faults(faults);
    return world.upstream.serve(std::move(stream));
  });
  world.say(mail);
  EXPECT_EQ(world.say(rcpt).substr(0, 10), "451 4.3.1 ");
  EXPECT_EQ(world.counters.get(Fault::upstream_tls), failures);
  EXPECT_EQ(world.counters.get(Fault::resource), 1u);
}

// Before the plain EHLO's answer counts for anything, the one under TLS replaces it (RFC 3207, 4.2).
TEST_F(UpstreamTls, AbilitiesOfThePlainEhloDoNotCount) {
  require(tls::UpstreamTls::require);
  offer();
  world.upstream.queued["EHLO"] = {"250-upstream.example\r\n250-STARTTLS\r\n250-CHUNKING\r\n250 PIPELINING\r\n",
                                   "250 upstream.example\r\n"};
  world.greet();
  EXPECT_EQ(deliver(), taken);
  EXPECT_EQ(world.upstream.commands.back(), "DATA");
}

TEST_F(UpstreamTls, AKeptConnectionThatHasSaidCloseNotifyIsNotUsed) {
  require(tls::UpstreamTls::require);
  FaultyUpstream::Plan plan{Point::idle, Misdeed::closes};
  faulty = std::make_unique<FaultyUpstream>(world.loop.scheduler(), FaultyUpstream::Kind::pipelining, plan,
                                            world.upstream, server_context());
  std::vector<std::shared_ptr<io::Stream>> connections;
  world.dialer.serve(first_server, [&](std::unique_ptr<support::MemoryStream> stream) {
    connections.push_back(std::move(stream));
    return faulty->serve(std::make_unique<LingeringStream>(connections.back()));
  });
  world.greet();
  faulty->arm();
  EXPECT_EQ(deliver(), taken);
  std::uint64_t before = reused();
  world.advance(milliseconds(150));
  ASSERT_TRUE(faulty->has_done_wrong());
  EXPECT_EQ(deliver(), taken);
  EXPECT_EQ(reused(), before) << "its end was there, encrypted";
  EXPECT_EQ(world.upstream.stored.size(), 2u);
  world.dialer.fail(first_server, io::Error::refused);
}

// Half a record says nothing yet; its other half would come as the answer to what we say next.
TEST_F(UpstreamTls, AKeptConnectionInTheMiddleOfARecordIsNotUsed) {
  require(tls::UpstreamTls::require);
  offer();
  support::MemoryStream* latest = nullptr;
  world.dialer.serve(first_server, [&](std::unique_ptr<support::MemoryStream> stream) {
    latest = stream.get();
    return world.upstream.serve(std::move(stream));
  });
  world.greet();
  EXPECT_EQ(deliver(), taken);
  std::uint64_t before = reused();
  support::Faults slow;
  slow.piece_octets = 20;
  slow.piece_delay = seconds(1);
  latest->set_write_faults(slow);
  async::Nursery blurting(world.loop.scheduler());
  blurting.spawn(world.upstream.blurt("250 2.1.0 whatever you ask\r\n"));
  world.advance(milliseconds(1500));
  EXPECT_EQ(deliver(), taken);
  EXPECT_EQ(reused(), before);
}

// U20: however TLS fails, mail goes in the clear, on a connection of its own.
class OpportunisticTls : public UpstreamTls, public testing::WithParamInterface<std::string> {};

TEST_P(OpportunisticTls, FallsBack) {
  require(tls::UpstreamTls::opportunistic);
  offer();
  world.upstream.tls = nullptr;  // after a 220 it goes on in the clear
  world.upstream.replies["STARTTLS"] = GetParam();
  world.greet();
  world.advance(seconds(15));
  EXPECT_EQ(deliver(), taken);
  const std::uint64_t failures = world.counters.get(Fault::upstream_tls);
  EXPECT_GE(failures, 1u);
  EXPECT_EQ(world.log.count({"event=fault", "kind=upstream_tls", "upstream=10.0.0.5:25"}), failures);
  EXPECT_EQ(world.counters.get(Total::upstreams_down), 0u);
  const auto& commands = world.upstream.commands;
  const auto mail_line = std::find(commands.begin(), commands.end(), "MAIL FROM:<ann@example.org>");
  ASSERT_NE(mail_line, commands.end());
  EXPECT_TRUE((mail_line - 1)->starts_with("EHLO ")) << "a fresh connection, without STARTTLS";
}

INSTANTIATE_TEST_SUITE_P(Every, OpportunisticTls,
                         testing::Values("421 4.3.0 no TLS now\r\n", "454 4.7.0 no TLS\r\n", "500 what\r\n", "close",
                                         "reset", "silence", "what?\r\n", "220 2.0.0 go\r\n"),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

// The handshake has come to its end, and then nothing more is heard: no mail waits for `upstream_reply`.
TEST_F(UpstreamTls, SilenceBehindTheHandshakeIsDoneWithout) {
  require(tls::UpstreamTls::opportunistic);
  offer();
  world.greet();
  world.advance(seconds(70));
  world.upstream.queued["EHLO"] = {"250-upstream.example\r\n250 STARTTLS\r\n", "silence"};
  world.say(mail);
  EXPECT_EQ(world.say(rcpt), "");
  world.advance(seconds(11));
  EXPECT_EQ(world.heard(), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.counters.get(Fault::upstream_tls), 1u);
  EXPECT_EQ(world.say("DATA\r\n").substr(0, 4), "354 ");
  EXPECT_EQ(world.say("Subject: x\r\n\r\nhello\r\n.\r\n"), taken);
}

}  // namespace
}  // namespace sallyport::upstream
