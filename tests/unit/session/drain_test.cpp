// A session that is asked to stop (threats.md R12), and one that meets a mistake of ours.
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

constexpr std::string_view farewell = "421 4.3.2 mx.example.com Shutting down\r\n";
constexpr std::string_view group = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n";

TEST(Drain, AnIdleSessionEndsAtOnce) {
  World world;
  world.greet();
  world.session->request_stop();
  world.session->request_stop();  // harmless again
  EXPECT_EQ(world.heard(), farewell);
  EXPECT_TRUE(world.is_over());
}

TEST(Drain, AMailWithoutContentEndsAtOnce) {
  World world;
  world.greet();
  world.say(group);
  world.session->request_stop();
  EXPECT_EQ(world.heard(), farewell);
  EXPECT_TRUE(world.is_over());
  EXPECT_NE(world.log.find("check=shutdown"), "");
}

TEST(Drain, ContentIsReadToItsEndAndRelayed) {
  World world;
  world.greet();
  world.say(group);
  world.say("DATA\r\n");
  world.session->request_stop();
  EXPECT_EQ(world.heard(), "");
  EXPECT_EQ(world.say("hello\r\n.\r\n"), "250 2.0.0 Stored\r\n" + std::string(farewell));
  EXPECT_TRUE(world.is_over());
}

TEST(Drain, BetweenChunksTheMessageIsFinished) {
  World world;
  world.greet();
  world.say(group);
  world.say("BDAT 4\r\nhell");
  world.session->request_stop();
  EXPECT_EQ(world.heard(), "");
  EXPECT_EQ(world.say("BDAT 3 LAST\r\no\r\n"), "250 2.0.0 Stored\r\n" + std::string(farewell));
}

TEST(Drain, AClientThatDoesNotReadItsRepliesHearsTheFarewellAfterThem) {
  World world;
  world.greet();
  world.read_nothing_more();
  world.client->send("NOOP\r\nNOOP\r\n");
  world.loop.run();
  world.session->request_stop();  // in the middle of a write
  std::string heard;
  for (int i = 0; i < 40; ++i) heard += world.heard();
  EXPECT_EQ(heard, "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n" + std::string(farewell));
  EXPECT_TRUE(world.is_over());
}

TEST(Drain, AClientThatReadsNothingEndsSoon) {
  World world;
  world.greet();
  world.read_nothing_more();
  world.client->send(std::string(group) + "NOOP\r\nNOOP\r\n");
  world.loop.run();
  world.session->request_stop();
  world.advance(std::chrono::milliseconds(2500));
  EXPECT_FALSE(world.is_over());
  world.advance(std::chrono::seconds(2));
  EXPECT_TRUE(world.is_over());
}

TEST(Drain, ASessionThatWaitsForTheUpstreamFinishesItsStep) {
  World world;
  world.greet();
  world.upstream.replies["RCPT"] = "silence";
  world.say(group);
  world.session->request_stop();
  world.advance(std::chrono::seconds(61));
  std::string heard = world.heard();
  EXPECT_EQ(heard.substr(14, 10), "451 4.4.1 ");
  EXPECT_TRUE(heard.ends_with(farewell)) << heard;
}

TEST(Drain, ASessionThatHasNotBegunIsTurnedAway) {
  World world;
  world.listener.settings.proxy_protocol_from = {*IpNetwork::parse("192.0.2.0/24")};
  world.connect();
  world.session->request_stop();
  EXPECT_EQ(world.say("PROXY UNKNOWN\r\n"), farewell);
  EXPECT_TRUE(world.is_over());
}

TEST(Timeouts, TheFirstCommandHasADeadlineOfItsOwn) {
  World world;
  world.settings.timeouts.greeting = std::chrono::seconds(10);
  world.connect();
  world.heard();
  world.advance(std::chrono::seconds(9));
  EXPECT_EQ(world.heard(), "");
  world.advance(std::chrono::seconds(2));
  EXPECT_EQ(world.heard().substr(0, 10), "421 4.4.2 ");
}

TEST(Timeouts, ALineThatTricklesHasOneDeadline) {
  World world;
  world.greet();
  std::string heard;
  for (int i = 0; i < 30; ++i) {
    heard += world.say("N");
    world.advance(std::chrono::seconds(11));
  }
  EXPECT_EQ(heard.substr(0, 10), "421 4.4.2 ");
}

TEST(Timeouts, ContentThatStopsIsNotWaitedForForEver) {
  World world;
  world.greet();
  world.say(group);
  world.say("DATA\r\n");
  world.say("hel");
  world.advance(std::chrono::seconds(181));
  EXPECT_EQ(world.heard().substr(0, 10), "421 4.4.2 ");
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Violation::slow_client), 1u);
  EXPECT_NE(world.log.find("stage=message"), "");
  EXPECT_EQ(world.upstream.stored.size(), 0u);
}

}  // namespace
}  // namespace sallyport::session
