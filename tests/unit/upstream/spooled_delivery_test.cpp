// U13 for a message that lies in a file: its end goes to the upstream last of all, and not for a client that is gone.
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::upstream {
namespace {

using namespace session;

std::string long_text() {
  std::string text = "Subject: long\r\n\r\n";
  while (text.size() < 200'000) text += "A line of a long message, and others like it.\r\n";
  return text;
}

class SpooledDelivery : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    world_.settings.limits.memory_per_message = 64u << 10;
    if (GetParam()) world_.upstream.replies["EHLO"] = "250-upstream.example\r\n250-CHUNKING\r\n250 PIPELINING\r\n";
    // Little is ever on its way, so that what the gateway has written has arrived, whatever becomes of the connection.
    world_.dialer.serve(first_server, [this](std::unique_ptr<support::MemoryStream> stream) {
      stream->set_read_faults({.transit_octets = 512});
      return world_.upstream.serve(std::move(stream));
    });
    world_.greet();
    world_.say("MAIL FROM:<ann@example.org>\r\n");
    world_.say("RCPT TO:<bob@example.com>\r\n");
    ASSERT_EQ(world_.say("DATA\r\n").substr(0, 3), "354");
  }

  World world_;
};

TEST_P(SpooledDelivery, ArrivesWhole) {
  EXPECT_EQ(world_.say(long_text() + ".\r\n"), "250 2.0.0 Stored\r\n");
  ASSERT_EQ(world_.upstream.stored.size(), 1u);
  EXPECT_TRUE(world_.upstream.stored[0].content.ends_with(long_text()));
  EXPECT_FALSE(world_.spool.files.empty());
}

TEST_P(SpooledDelivery, ArrivesWholeForAClientThatHasEndedItsSide) {
  world_.client->send(long_text() + ".\r\n");
  world_.client->end();
  world_.heard();
  EXPECT_TRUE(world_.is_over());
  ASSERT_EQ(world_.upstream.stored.size(), 1u);
  EXPECT_TRUE(world_.upstream.stored[0].content.ends_with(long_text()));
  EXPECT_EQ(world_.counters.get(Fault::client_lost), 0u);
  EXPECT_EQ(world_.counters.get(Fault::reply_lost), 1u);
}

INSTANTIATE_TEST_SUITE_P(BothWays, SpooledDelivery, testing::Bool(),
                         [](const auto& info) { return info.param ? "Bdat" : "Data"; });

}  // namespace
}  // namespace sallyport::upstream
