// The plain course of a session, and each verb's own answers.
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

TEST(Dialogue, RelaysAMailAndSaysWhatTheUpstreamSaid) {
  World world;
  world.connect();
  EXPECT_EQ(world.heard(), "220 mx.example.com ESMTP Sallyport\r\n");
  std::string ehlo = world.say("EHLO client.example\r\n");
  EXPECT_NE(ehlo.find("250-PIPELINING\r\n"), std::string::npos) << ehlo;
  EXPECT_NE(ehlo.find("8BITMIME"), std::string::npos) << ehlo;
  EXPECT_EQ(world.say("MAIL FROM:<ann@example.org>\r\n"), "250 2.1.0 Ok\r\n");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.say("DATA\r\n").substr(0, 4), "354 ");
  EXPECT_EQ(world.say("Subject: x\r\n\r\nhello\r\n..dot\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.say("QUIT\r\n"), "221 2.0.0 mx.example.com Bye\r\n");
  EXPECT_TRUE(world.is_over());
  ASSERT_EQ(world.upstream.stored.size(), 1u);
  const std::string& content = world.upstream.stored[0].content;
  EXPECT_TRUE(content.starts_with("X-Sallyport-Id: ")) << content;
  EXPECT_TRUE(content.ends_with("Subject: x\r\n\r\nhello\r\n.dot\r\n")) << content;
  EXPECT_NE(content.find("Received: from client.example "), std::string::npos) << content;
  EXPECT_NE(world.log.find("verdict=relay"), "");
}

TEST(Dialogue, KeepsTheUpstreamConnectionForTheNextMail) {
  World world;
  world.greet();
  for (int i = 0; i < 3; ++i) {
    world.say("MAIL FROM:<ann@example.org>\r\n");
    world.say("RCPT TO:<bob@example.com>\r\n");
    world.say("DATA\r\n");
    EXPECT_EQ(world.say("Subject: x\r\n\r\nhello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  }
  EXPECT_EQ(world.upstream.connections, 1);
  EXPECT_EQ(world.upstream.stored.size(), 3u);
}

TEST(Dialogue, AnswersAPipelinedGroupInOneWrite) {
  World world;
  world.greet();
  std::string all = world.say(
      "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\nRCPT TO:<eve@elsewhere.example>\r\nDATA\r\n");
  EXPECT_EQ(all.substr(0, 14), "250 2.1.0 Ok\r\n");
  EXPECT_NE(all.find("550 5.7.1 Relaying denied (id "), std::string::npos) << all;
  EXPECT_NE(all.find("\r\n354 "), std::string::npos) << all;
}

TEST(Dialogue, RefusesWhatTheUpstreamRefuses) {
  World world;
  world.upstream.replies["RCPT"] = "550 5.1.1 no such user\r\n";
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\n");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "550 5.1.1 no such user\r\n");
  EXPECT_EQ(world.say("DATA\r\n"), "554 5.5.1 No valid recipients\r\n");
  world.say("QUIT\r\n");
  EXPECT_NE(world.log.find("verdict=reject"), "");
}

TEST(Dialogue, TellsTheTruthWhenNobodyAnswersBehindUs) {
  World world;
  world.dialer.fail(first_server, io::Error::refused);
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\n");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n").substr(0, 10), "451 4.4.1 ");
}

TEST(Dialogue, TakesChunks) {
  World world;
  world.greet();
  world.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
  EXPECT_EQ(world.say("BDAT 14\r\nSubject: y\r\n\r\n"), "250 2.0.0 14 octets received\r\n");
  EXPECT_EQ(world.say("BDAT 6 LAST\r\n.dot\r\n"), "250 2.0.0 Stored\r\n");
  ASSERT_EQ(world.upstream.stored.size(), 1u);
  EXPECT_TRUE(world.upstream.stored[0].content.ends_with("Subject: y\r\n\r\n.dot\r\n"));
}

TEST(Dialogue, SaysGoodbyeWhenItIsStopped) {
  World world;
  world.greet();
  world.session->request_stop();
  EXPECT_EQ(world.heard(), "421 4.3.2 mx.example.com Shutting down\r\n");
  EXPECT_TRUE(world.is_over());
}

TEST(Dialogue, EndsAnIdleSessionInTime) {
  World world;
  world.greet();
  world.advance(std::chrono::seconds(301));
  EXPECT_EQ(world.heard().substr(0, 10), "421 4.4.2 ");
  EXPECT_TRUE(world.is_over());
}

}  // namespace
}  // namespace sallyport::session
