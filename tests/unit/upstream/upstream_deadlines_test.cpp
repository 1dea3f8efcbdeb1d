// How long the upstream may take (threats.md U8, I12): connect 30 s, each reply and block 60 s, the final reply what is
// left of 240 s from the client's end of data.
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::upstream {
namespace {

using namespace session;

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view group = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n";
constexpr std::string_view mail_ok = "250 2.1.0 Ok\r\n";

class UpstreamDeadlines : public testing::Test {
 protected:
  void greet() {
    world.greet();
    world.advance(seconds(70));  // no connection is left of the probes
  }
  // A mail with a recipient; from then on the server's replies take 50 s, in pieces of so many octets.
  void begin_mail_at_slow_server(std::size_t piece_octets) {
    support::MemoryStream* latest = nullptr;
    world.dialer.serve(first_server, [this, &latest](std::unique_ptr<support::MemoryStream> stream) {
      latest = stream.get();
      return world.upstream.serve(std::move(stream));
    });
    world.greet();
    EXPECT_EQ(world.say(group), std::string(mail_ok) + "250 2.1.5 Ok\r\n");
    support::Faults slow;
    slow.piece_octets = piece_octets;
    slow.piece_delay = seconds(50);
    latest->set_write_faults(slow);
  }
  // The answer comes after so long, and not before.
  void expect_after(Duration patience, std::string_view answer) {
    world.advance(patience - milliseconds(100));
    EXPECT_EQ(world.heard(), "");
    world.advance(milliseconds(200));
    EXPECT_EQ(world.heard().substr(0, answer.size()), answer);
    EXPECT_EQ(world.counters.get(Fault::upstream_timeout), 1u);
    EXPECT_EQ(world.say("NOOP\r\n"), "250 2.0.0 Ok\r\n");
  }

  World world;
};

TEST_F(UpstreamDeadlines, Connect) {
  greet();
  world.dialer.fail(first_server, io::Error::timed_out);
  EXPECT_EQ(world.say(group), "");
  world.advance(seconds(30) - milliseconds(100));
  EXPECT_EQ(world.heard(), "");
  world.advance(milliseconds(200));
  EXPECT_EQ(world.heard().substr(0, 24), std::string(mail_ok) + "451 4.4.1 ");
  EXPECT_EQ(world.counters.get(Fault::upstream_timeout), 1u);
}

class SilentAt : public UpstreamDeadlines, public testing::WithParamInterface<std::string> {};

TEST_P(SilentAt, EachReply) {
  greet();
  world.upstream.replies[GetParam()] = "silence";
  world.say("MAIL FROM:<ann@example.org>\r\n");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "");
  expect_after(seconds(60), "451 4.4.1 ");
  EXPECT_EQ(world.counters.get(Fault::outcome_unknown), 0u);
}
INSTANTIATE_TEST_SUITE_P(Every, SilentAt, testing::Values("", "EHLO", "MAIL", "RCPT"));

// Every reply of the server comes 50 s after the one before.
TEST_F(UpstreamDeadlines, EachReplyHasItsOwn) {
  begin_mail_at_slow_server(14);
  EXPECT_EQ(world.say("RCPT TO:<bob1@example.com>\r\nRCPT TO:<bob2@example.com>\r\n"), "");
  world.advance(seconds(101));
  EXPECT_EQ(world.heard(), "250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n");
}

// U9: a kept connection on which nothing comes is given up sooner, and the mail goes on another one.
TEST_F(UpstreamDeadlines, AKeptConnectionHasFiveSeconds) {
  world.greet();
  world.upstream.queued["MAIL"] = {"silence"};
  world.upstream.queued["RCPT"] = {"silence"};
  EXPECT_EQ(world.say(group), "");
  world.advance(milliseconds(4900));
  EXPECT_EQ(world.heard(), "");
  world.advance(milliseconds(200));
  EXPECT_EQ(world.heard(), std::string(mail_ok) + "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.counters.get(Fault::upstream_timeout), 0u);
}

TEST_F(UpstreamDeadlines, GoAhead) {
  greet();
  world.upstream.replies["DATA"] = "silence";
  world.say(group);
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("hello\r\n.\r\n"), "");
  expect_after(seconds(60), "451 4.4.1 ");
  EXPECT_EQ(world.counters.get(Fault::outcome_unknown), 0u);
}

TEST_F(UpstreamDeadlines, FinalReply) {
  greet();
  world.upstream.replies["."] = "silence";
  world.say(group);
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("hello\r\n.\r\n"), "");
  expect_after(seconds(240), "451 4.4.2 ");
  EXPECT_EQ(world.counters.get(Fault::outcome_unknown), 1u);
}

// Whatever has been waited for since the client's end of data counts.
TEST_F(UpstreamDeadlines, FinalReplyAfterASlowGoAhead) {
  world.upstream.replies["."] = "silence";
  begin_mail_at_slow_server(0);
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("hello\r\n.\r\n"), "");
  expect_after(seconds(240), "451 4.4.2 ");
}

}  // namespace
}  // namespace sallyport::upstream
