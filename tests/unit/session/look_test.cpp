// What is seen of a session from outside, in each of its phases.
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

constexpr std::string_view group = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n";

TEST(SessionLook, OneThatWaitsForACommandSaysSinceWhen) {
  World world;
  world.greet();
  world.advance(std::chrono::seconds(7));
  const Look look = world.session->look();
  EXPECT_EQ(look.phase, Phase::command);
  EXPECT_EQ(look.verb, "EHLO");
  EXPECT_EQ(look.protocol, "smtp");
  EXPECT_EQ(look.peer.to_string(), "192.0.2.1:1234");
  EXPECT_EQ(look.client.to_string(), "192.0.2.1");
  EXPECT_FALSE(look.sender);
  EXPECT_FALSE(look.is_tls);
  const Time now = world.loop.scheduler().now();
  ASSERT_TRUE(look.client_silent_since);
  EXPECT_EQ(now - *look.client_silent_since, std::chrono::seconds(7));
  EXPECT_EQ(now - look.in_phase_since, std::chrono::seconds(7));
  EXPECT_GE(now - look.began, std::chrono::seconds(7));
}

TEST(SessionLook, AMailIsSeenWithItsSenderAndWhatItHolds) {
  World world;
  world.greet();
  const std::string before = world.session->look().id;
  world.say(group);
  world.say("DATA\r\n");
  world.say(std::string(10'000, 'x') + "\r\n");
  const Look look = world.session->look();
  EXPECT_EQ(look.phase, Phase::content);
  EXPECT_EQ(look.verb, "DATA");
  EXPECT_EQ(look.sender, "ann@example.org");
  EXPECT_EQ(look.recipients, 1u);
  EXPECT_GE(look.held_octets, 10'000u);
  EXPECT_NE(look.id, before);
  world.say(".\r\n");
  const Look after = world.session->look();
  EXPECT_EQ(after.phase, Phase::command);
  EXPECT_EQ(after.held_octets, 0u);
  EXPECT_EQ(after.id, before);
}

TEST(SessionLook, BetweenChunksACommandIsWaitedFor) {
  World world;
  world.greet();
  world.say(group);
  world.say("BDAT 8\r\nhell");
  EXPECT_EQ(world.session->look().phase, Phase::content);
  world.say("o wo");
  EXPECT_EQ(world.session->look().phase, Phase::command);
}

TEST(SessionLook, AClientThatDoesNotReadIsSeen) {
  World world;
  world.greet();
  world.read_nothing_more();
  world.client->send("NOOP\r\n");
  world.loop.run();
  world.advance(std::chrono::seconds(3));
  const Look look = world.session->look();
  EXPECT_EQ(look.phase, Phase::reply);
  ASSERT_TRUE(look.client_silent_since);
  EXPECT_EQ(world.loop.scheduler().now() - *look.client_silent_since, std::chrono::seconds(3));
}

TEST(SessionLook, WordsOfPeersAreShort) {
  World world;
  world.connect();
  world.heard();
  world.say("EHLO " + std::string(200, 'h') + "\r\n");
  world.say("MAIL FROM:<" + std::string(60, 'l') + "@" + std::string(60, 'd') + "." + std::string(60, 'd') +
            ".example>\r\n");
  const Look look = world.session->look();
  EXPECT_LE(look.helo.size(), Look::most_text);
  ASSERT_TRUE(look.sender);
  EXPECT_EQ(look.sender->size(), Look::most_text);
}

}  // namespace
}  // namespace sallyport::session
